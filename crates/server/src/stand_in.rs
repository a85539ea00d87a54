//! What stands in for a custom function that only the extension has: the examples that its step gives.

use std::sync::Arc;

use exuvia_core::document::Value;
use exuvia_core::lens::Custom;
use exuvia_core::step::CustomExample;
use exuvia_core::{Error, ErrorKind, Result};

/// A function known by examples only.
#[derive(Debug)]
struct StandIn {
    name: String,
    revision: u32,
    pairs: Vec<(Value<'static>, Value<'static>)>,
}

/// A stand-in for each function that has examples; steps that name the same one share it.
pub(crate) fn stand_ins<'e>(examples: impl Iterator<Item = CustomExample<'e>>) -> Vec<Arc<dyn Custom>> {
    let mut found: Vec<StandIn> = Vec::new();
    for CustomExample { name, revision, pairs } in examples {
        let known = found.iter_mut().find(|known| known.name == name && known.revision == revision);
        match known {
            Some(known) => known.pairs.extend(pairs.iter().cloned()),
            None => found.push(StandIn { name: name.to_owned(), revision, pairs: pairs.to_vec() }),
        }
    }
    found.into_iter().map(|stand_in| Arc::new(stand_in) as Arc<dyn Custom>).collect()
}

impl StandIn {
    fn unknown(&self) -> Error {
        let message = format!(
            "expected a value that the \"examples\" of {:?} name, because the command line cannot run the function itself; found another; add it to them",
            self.name
        );
        Error::new(ErrorKind::Unfit, message)
    }
}

impl Custom for StandIn {
    fn name(&self) -> &str {
        &self.name
    }

    fn revision(&self) -> u32 {
        self.revision
    }

    fn is_reversible(&self) -> bool {
        true
    }

    fn up<'a>(&self, value: Value<'a>) -> Result<Value<'a>> {
        let found = self.pairs.iter().find(|(older, _)| *older == value);
        found.map(|(_, newer)| newer.clone()).ok_or_else(|| self.unknown())
    }

    fn down<'a>(&self, value: Value<'a>) -> Result<Value<'a>> {
        let found = self.pairs.iter().find(|(_, newer)| *newer == value);
        found.map(|(older, _)| older.clone()).ok_or_else(|| self.unknown())
    }
}
