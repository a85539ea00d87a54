//! The laws of a chain, held against one record.

use exuvia_core::Result;
use exuvia_core::chain::{Chain, Family, Record, Residues, Version};
use exuvia_core::document::Value;

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
        let start = self.start(record, version)?;
        for end in [newest, oldest].into_iter().filter(|end| *end != version) {
            let there = self.travel(version, end, start.clone())?;
            let what = format!("the record that went from version {version} to {end} to come back as it was");
            self.expect_alone(record, &self.travel(end, version, there)?, &what)?;
        }
        let mut born = self.travel(version, newest, start)?;
        born.iter_mut().for_each(|record| record.residues = Residues::default());
        self.travel(newest, oldest, born).map(drop)
    }

    /// That a record at a version is another record at another version, moved there without residue.
    pub(crate) fn expect(&self, record: &Value<'_>, version: Version, golden: &Value<'_>, at: Version) -> Result<()> {
        let (there, _) = self.chain.counterpart(self.collection, version, at)?;
        let mut moved = self.travel(version, at, self.start(record, version)?)?;
        moved.retain(|record| record.is_in(&there));
        self.expect_alone(golden, &moved, &format!("at version {at} the record as the file has it"))
    }

    fn expect_alone(&self, expected: &Value<'_>, found: &Family<'_>, what: &str) -> Result<()> {
        let none = Value::Null;
        let found = found.first().map_or(&none, |record| &record.value);
        expect_same(expected, found, what).map_err(|error| error.in_collection(self.collection))
    }

    fn start<'a>(&self, record: &Value<'a>, version: Version) -> Result<Family<'a>> {
        let start = Record {
            collection: self.collection.to_owned().into(),
            key: "".into(),
            value: record.clone(),
            residues: Residues::default(),
            is_aside: false,
        };
        self.fits(&start, version)?;
        Ok(vec![start])
    }

    /// Moves a record, and what comes of it, from version to version, and checks that all of it fits each.
    fn travel<'a>(&self, from: Version, to: Version, mut family: Family<'a>) -> Result<Family<'a>> {
        let mut at = from;
        while at != to {
            let next = if at < to { Version(at.0 + 1) } else { Version(at.0 - 1) };
            // The same time for every run, so that what a step makes can be compared with a golden.
            family = self.chain.move_family(at, next, 0, family)?;
            let migration = self.chain.line(at.max(next)).last().map_or("", |link| &link.id);
            for record in &family {
                self.fits(record, next).map_err(|error| error.in_migration(migration))?;
            }
            at = next;
        }
        Ok(family)
    }

    fn fits(&self, record: &Record<'_>, version: Version) -> Result<()> {
        if record.is_aside {
            return Ok(());
        }
        let schema = &self.chain.collection(&record.collection, version)?.schema;
        schema.validate(&record.value).map_err(|error| error.in_collection(&record.collection))
    }

    /// The version that the collection's records start with.
    fn oldest(&self, version: Version) -> Version {
        let exists = |at: &Version| self.chain.counterpart(self.collection, version, *at).is_ok();
        (1..=version.0).rev().map(Version).take_while(exists).last().unwrap_or(version)
    }
}
