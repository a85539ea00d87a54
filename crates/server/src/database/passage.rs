use exuvia_core::chain::{Residues, Route};
use exuvia_core::document::Value;
use exuvia_core::lens::Context;
use exuvia_core::{Error, ErrorKind, Result};

/// The way of one collection's rows.
#[derive(Clone, Copy, Debug)]
pub struct Passage<'p> {
    /// The way.
    pub route: Route<'p>,
    /// The collection.
    pub collection: &'p str,
    /// The time of the run, in milliseconds since 1970.
    pub now: i64,
    /// Whether rows are held against the schema where they arrive. What a run has moved must always find its way back.
    pub is_checked: bool,
}

/// A row as it stands in its table.
#[derive(Clone, Copy, Debug)]
pub struct Row<'r> {
    /// The record's key.
    pub key: &'r str,
    /// Its document, as JSON text.
    pub document: &'r str,
    /// What its migrations remember, as JSON text.
    pub residues: Option<&'r str>,
}

/// What becomes of a row.
#[derive(Debug)]
pub struct Carried {
    /// Its document, as JSON text; `None` where it is the same.
    pub document: Option<String>,
    /// What its migrations remember, as JSON text.
    pub residues: Option<String>,
}

impl Passage<'_> {
    /// Moves a row by interpreting the steps, and holds it against the schema: no place may be wrong that was not.
    ///
    /// # Errors
    /// [`ErrorKind::Unfit`] with migration, collection, record, step and path.
    pub fn carry(&self, row: Row<'_>) -> Result<Carried> {
        self.carry_alone(row).map_err(|error| error.in_collection(self.collection).in_record(row.key))
    }

    fn carry_alone(&self, row: Row<'_>) -> Result<Carried> {
        let before = Value::parse(row.document)?;
        let mut residues = match row.residues {
            Some(text) => Residues::from_value(&Value::parse(text)?)?,
            None => Residues::default(),
        };
        let mut moved = before.clone();
        let context = Context { now: self.now, key: row.key };
        self.route.translate(self.collection, context, &mut moved, &mut residues)?;
        if self.is_checked {
            self.fits(&before, &moved)?;
        }
        let document = moved.to_json();
        Ok(Carried {
            document: (document != row.document).then_some(document),
            residues: (!residues.is_empty()).then(|| residues.to_value().to_json()),
        })
    }

    fn fits(&self, before: &Value<'_>, moved: &Value<'_>) -> Result<()> {
        let unknown = || {
            let message = "expected a collection that is there at the end of the way, found one that is not";
            Error::new(ErrorKind::Chain, message)
        };
        let after = self.route.after().get(self.collection).ok_or_else(unknown)?;
        let Err(now) = after.schema.validate(moved) else { return Ok(()) };
        let was = self.route.before().get(self.collection).and_then(|found| found.schema.validate(before).err());
        match was {
            Some(was) if was.context().path == now.context().path => Ok(()),
            _ => Err(now),
        }
    }
}
