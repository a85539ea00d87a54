use exuvia_core::{Error, ErrorKind};

use super::error::Result;
use super::session::Session;
use crate::database::{STAMP, Table};

/// A table as the server knows it, quoted for statements.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) name: String,
    pub(super) key: String,
    pub(super) document: String,
    /// The type of the keys, as a cast takes it.
    pub(super) key_type: String,
    /// The type of the documents, as a cast takes it.
    pub(super) document_type: String,
}

/// A name as it stands in `exuvia.toml`, and `schema.table` too.
pub(super) fn written(name: &str) -> String {
    let parts: Vec<_> = name.splitn(2, '.').map(Table::quoted).collect();
    parts.join(".")
}

const COLUMN: &str = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = to_regclass($1) AND attname = $2 AND attnum > 0 AND NOT attisdropped";

impl Bound {
    pub(super) async fn find(session: &Session, table: &Table) -> Result<Self> {
        let Table { collection, name, key, document } = table;
        let quoted = written(name);
        if !session.one::<bool>("SELECT to_regclass($1) IS NOT NULL", &[&quoted]).await? {
            let message = format!("expected a table {name:?} for the collection {collection}, found none");
            return Err(Error::new(ErrorKind::Store, message).into());
        }
        let mut types = Vec::new();
        for column in [key, document] {
            let rows = session.ask(COLUMN, &[&quoted, column]).await?;
            let Some(found) = rows.first() else {
                let message = format!("expected a column {column:?} in the table {name:?}, found none");
                return Err(Error::new(ErrorKind::Store, message).into());
            };
            types.push(found.try_get::<_, String>(0)?);
        }
        let document_type = types.pop().unwrap_or_default();
        let key_type = types.pop().unwrap_or_default();
        let [key, document] = [key, document].map(|column| Table::quoted(column));
        Ok(Self { name: quoted, key, document, key_type, document_type })
    }

    /// Whether the stamp's column is there.
    pub(super) async fn has_stamp(&self, session: &Session) -> Result<bool> {
        Ok(!session.ask(COLUMN, &[&self.name, STAMP]).await?.is_empty())
    }

    /// The document as `jsonb`.
    pub(super) fn as_jsonb(&self) -> String {
        format!("{}::jsonb", self.document)
    }
}
