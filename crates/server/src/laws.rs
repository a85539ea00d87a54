//! The laws of a chain, held against one record.

use exuvia_core::Result;
use exuvia_core::chain::{Chain, Residues, Version};
use exuvia_core::document::Value;
use exuvia_core::lens::Context;

use crate::difference::expect_same;

/// A collection of a chain whose laws are to hold.
pub(crate) struct Laws<'c> {
    pub(crate) chain: &'c Chain,
    pub(crate) collection: &'c str,
}

impl Laws<'_> {
    /// That a record at a version fits every version on its way up and down, comes back from either end exactly as it
    /// was, and that what it becomes has a way all the way down without residue too, as a record born there has.
    pub(crate) fn prove(&self, record: &Value<'_>, version: Version) -> Result<()> {
        let (oldest, newest) = (self.oldest(version), self.chain.tip());
        self.fits(record, version)?;
        for end in [newest, oldest].into_iter().filter(|end| *end != version) {
            let mut traveller = (record.clone(), Residues::default());
            self.travel(version, end, &mut traveller)?;
            self.travel(end, version, &mut traveller)?;
            let what = format!("the record that went from version {version} to {end} to come back as it was");
            expect_same(record, &traveller.0, &what).map_err(|error| error.in_collection(self.collection))?;
        }
        let mut traveller = (record.clone(), Residues::default());
        self.travel(version, newest, &mut traveller)?;
        self.travel(newest, oldest, &mut (traveller.0, Residues::default()))
    }

    /// That a record at a version is another record at another version, moved there without residue.
    pub(crate) fn expect(&self, record: &Value<'_>, version: Version, golden: &Value<'_>, at: Version) -> Result<()> {
        let mut traveller = (record.clone(), Residues::default());
        self.fits(record, version)?;
        self.travel(version, at, &mut traveller)?;
        let what = format!("at version {at} the record as the file has it");
        expect_same(golden, &traveller.0, &what).map_err(|error| error.in_collection(self.collection))
    }

    /// Moves a record from version to version, and checks that it fits each.
    fn travel<'a>(&self, from: Version, to: Version, (record, residues): &mut (Value<'a>, Residues<'a>)) -> Result<()> {
        let mut at = from;
        while at != to {
            let next = if at < to { Version(at.0 + 1) } else { Version(at.0 - 1) };
            // The same context for every run, so that what a step makes can be compared with a golden.
            self.chain.translate(self.collection, at, next, Context::default(), record, residues)?;
            let migration = self.chain.line(at.max(next)).last().map_or("", |link| &link.id);
            self.fits(record, next).map_err(|error| error.in_migration(migration))?;
            at = next;
        }
        Ok(())
    }

    fn fits(&self, record: &Value<'_>, version: Version) -> Result<()> {
        let schema = &self.chain.collection(self.collection, version)?.schema;
        schema.validate(record).map_err(|error| error.in_collection(self.collection))
    }

    /// The version that the collection starts with.
    fn oldest(&self, version: Version) -> Version {
        let exists = |version: &Version| self.chain.collections(*version).contains_key(self.collection);
        (1..=version.0).rev().map(Version).take_while(exists).last().unwrap_or(version)
    }
}
