//! Records along chains that are in use: what fits goes up and comes back exactly, and what was born later has a way
//! down.

#![no_main]

// What the laws and the simulator have for others is not all used here.
#[allow(dead_code)]
#[path = "../../crates/core/tests/laws/documents.rs"]
mod documents;
mod samples;
#[allow(dead_code)]
#[path = "../../crates/core/tests/laws/tape.rs"]
mod tape;

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use exuvia_core::Result;
use exuvia_core::chain::{Chain, Residues, Version};
use exuvia_core::document::{Number, Value};
use exuvia_core::lens::Context;
use libfuzzer_sys::{Corpus, fuzz_target};
use tape::Tape;

/// A record that moves between two versions of a collection.
#[derive(Arbitrary, Debug)]
struct Case<'a> {
    chain: u8,
    collection: u8,
    versions: (u8, u8),
    record: Record<'a>,
}

#[derive(Arbitrary, Debug)]
enum Record<'a> {
    /// Made to fit, with some of its texts and numbers replaced by these.
    Drawn { choices: Vec<u16>, leaves: Vec<(u8, &'a str)> },
    /// As it is.
    Written(&'a str),
}

static CHAINS: LazyLock<[Chain; 2]> =
    LazyLock::new(|| [samples::chain(&samples::REFERENCE), samples::chain(&samples::UNFIT)]);

fuzz_target!(|case: Case<'_>| -> Corpus {
    let chain = &CHAINS[case.chain as usize % CHAINS.len()];
    let version = |byte: u8| Version(u32::from(byte) % chain.tip().0 + 1);
    let (a, b) = (version(case.versions.0), version(case.versions.1));
    let (old, new) = (a.min(b), a.max(b));
    let collections = chain.collections(old);
    let name = collections.keys().nth(case.collection as usize % collections.len()).expect("a collection");
    let way = Way { chain, name, old, new };
    let at_old = record(&case.record, &way, old).is_some_and(|text| there_and_back(&way, &text));
    let at_new = record(&case.record, &way, new).is_some_and(|text| back_and_there(&way, &text));
    if at_old || at_new { Corpus::Keep } else { Corpus::Reject }
});

struct Way<'c> {
    chain: &'c Chain,
    name: &'c str,
    old: Version,
    new: Version,
}

impl Way<'_> {
    fn fits(&self, version: Version, value: &Value<'_>) -> Result<()> {
        self.chain.collection(self.name, version)?.schema.validate(value)
    }

    /// Moves a record as a store would: written and read again on either side.
    fn go(&self, from: Version, to: Version, record: &str, residues: &str) -> Result<(String, String)> {
        let mut value = Value::parse(record)?;
        let mut residues = Residues::from_value(&Value::parse(residues)?)?;
        let context = Context { now: 1_700_000_000_123, key: "key" };
        self.chain.translate(self.name, from, to, context, &mut value, &mut residues)?;
        Ok((value.to_json(), residues.to_value().to_json()))
    }
}

/// The record as text, if it fits at this version.
fn record(record: &Record<'_>, way: &Way<'_>, version: Version) -> Option<String> {
    let schema = &way.chain.collection(way.name, version).ok()?.schema;
    let text = match record {
        Record::Written(text) => (*text).to_owned(),
        Record::Drawn { choices, leaves } => {
            let choices: Vec<_> = choices.iter().copied().map(u32::from).collect();
            let mut value = documents::fitting(schema, &mut Tape::new(&choices))?;
            for (at, text) in leaves {
                let _ = replace(&mut value, &mut at.clone(), text);
            }
            value.to_json()
        }
    };
    let value = Value::parse(&text).ok()?;
    schema.accepts(&value).then(|| text.clone())
}

/// Puts `text` into the `at`th text or number; `None` once that is done.
fn replace(value: &mut Value<'static>, at: &mut u8, text: &str) -> Option<()> {
    match value {
        Value::Array(items) => return items.iter_mut().try_for_each(|item| replace(item, at, text)),
        Value::Object(object) => return object.iter_mut().try_for_each(|(_, member)| replace(member, at, text)),
        Value::String(_) | Value::Number(_) => {}
        _ => return Some(()),
    }
    *at = match at.checked_sub(1) {
        Some(left) => left,
        None => {
            match Number::parse(text) {
                Some(number) if matches!(value, Value::Number(_)) => *value = Value::Number(number),
                _ => *value = Value::from(text),
            }
            return None;
        }
    };
    Some(())
}

/// Up with what is remembered, and down again. Not every record that fits can go up: no step can make a date of 1e300.
fn there_and_back(way: &Way<'_>, text: &str) -> bool {
    let Ok((up, kept)) = way.go(way.old, way.new, text, "{}") else { return false };
    check_fits(way, way.new, &up);
    let (down, left) = way.go(way.new, way.old, &up, &kept).expect("what went up comes down");
    assert_same(&down, text, "up, then down");
    let (again, kept_again) = way.go(way.old, way.new, &down, &left).expect("what came down goes up");
    assert_same(&again, &up, "up, down, up");
    assert_same(&kept_again, &kept, "what is remembered");
    without_residue(way, &up);
    true
}

fn back_and_there(way: &Way<'_>, text: &str) -> bool {
    without_residue(way, text);
    true
}

/// Down with nothing remembered, to what fits, and up again to what was there.
fn without_residue(way: &Way<'_>, text: &str) {
    let (down, left) = way.go(way.new, way.old, text, "{}").expect("what fits above has a way down");
    check_fits(way, way.old, &down);
    let (again, _) = way.go(way.old, way.new, &down, &left).expect("what came down goes up");
    assert_same(&again, text, "down, then up");
}

fn check_fits(way: &Way<'_>, version: Version, text: &str) {
    let fits = way.fits(version, &Value::parse(text).expect("JSON"));
    assert!(fits.is_ok(), "{} at {version}: {text}: {}", way.name, fits.unwrap_err());
}

fn assert_same(found: &str, expected: &str, when: &str) {
    assert_eq!(Value::parse(found).expect("JSON"), Value::parse(expected).expect("JSON"), "{when}");
}
