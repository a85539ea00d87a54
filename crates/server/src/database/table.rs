use serde::{Deserialize, Serialize};

/// A collection's table: a column with the records' keys, which is unique, and one with their documents. Rows without a
/// document are no records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The collection.
    #[serde(skip_deserializing)]
    pub collection: String,
    /// The table's name.
    #[serde(rename = "table")]
    pub name: String,
    /// The column with the key.
    pub key: String,
    /// The column with the document.
    pub document: String,
}

impl Table {
    /// A name as SQL takes it, whatever is in it.
    #[must_use]
    pub fn quoted(name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}
