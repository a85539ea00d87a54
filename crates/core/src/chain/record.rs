use std::borrow::Cow;

use super::Residues;
use crate::document::Value;

/// One record, with what its migrations remember of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record<'a> {
    /// The collection it belongs to; of a record that is set aside, the one it belonged to.
    pub collection: Cow<'a, str>,
    /// What it is known by in its collection.
    pub key: Cow<'a, str>,
    /// The document.
    pub value: Value<'a>,
    /// What its migrations remember.
    pub residues: Residues<'a>,
    /// Whether it is no part of the data at this version, and only kept for the way to one where it is.
    pub is_aside: bool,
}

impl Record<'_> {
    /// Whether it is a record of this collection, and part of the data.
    #[must_use]
    pub fn is_in(&self, collection: &str) -> bool {
        !self.is_aside && self.collection == collection
    }
}
