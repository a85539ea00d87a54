//! How fast records move, from text to text, beside reading and writing the same bytes with serde_json.
//! `cargo xtask bench engine` runs this and makes a table of it.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark fails where it unwraps")]

mod conversations;

use std::hint::black_box;
use std::time::Duration;

use conversations::conversations;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use exuvia_core::chain::{Chain, Lock, Migration, Residues, Version};
use exuvia_core::document::Value;
use exuvia_core::lens::Context;

const COUNT: usize = 64;

const BASELINE: &str = include_str!("../../../../extension/chain/0001-baseline.json");

const REFERENCE: [&str; 5] = [
    BASELINE,
    include_str!("../../../../extension/chain/0002-ai-settings.json"),
    include_str!("../../../../extension/chain/0003-conversation-keys.json"),
    include_str!("../../../../extension/chain/0004-distillation-notes.json"),
    include_str!("../../../../extension/chain/0005-privacy.json"),
];

const SHALLOW: [&str; 2] = [
    BASELINE,
    r#"{ "exuvia": 1, "id": "shallow", "parents": ["baseline"], "change": { "conversations": [
        { "rename": "/title", "to": "/name" }, { "add": "/pinned", "value": false } ] } }"#,
];

/// A record's text and its residue's, empty where there is none.
type Stored = (String, String);

fn chain(files: &[&str]) -> Chain {
    let migrations = files.iter().map(|file| Migration::parse(file).unwrap()).collect();
    Chain::arrange(migrations, &Lock::default()).unwrap()
}

/// Moves one record as it comes from storage and goes there.
fn translate(chain: &Chain, from: Version, to: Version, (record, residue): &Stored) -> Stored {
    let mut record = Value::parse(record).unwrap();
    let mut residues = match residue.is_empty() {
        true => Residues::default(),
        false => Residues::from_value(&Value::parse(residue).unwrap()).unwrap(),
    };
    chain.translate("conversations", from, to, Context::default(), &mut record, &mut residues).unwrap();
    let residue = if residues.is_empty() { String::new() } else { residues.to_value().to_json() };
    (record.to_json(), residue)
}

fn engine(criterion: &mut Criterion) {
    let (shallow, reference) = (chain(&SHALLOW), chain(&REFERENCE));
    let (one, five) = (Version(1), reference.tip());
    let stored = |strangers| conversations(COUNT, strangers).into_iter().map(|text| (text, String::new())).collect();
    let moved = |records: &Vec<Stored>| records.iter().map(|record| translate(&reference, one, five, record)).collect();
    let (plain, strangers): (Vec<Stored>, Vec<Stored>) = (stored(false), stored(true));
    let (plain_five, strangers_five): (Vec<Stored>, Vec<Stored>) = (moved(&plain), moved(&strangers));
    assert!(plain_five.iter().all(|(_, residue)| residue.is_empty()));
    assert!(strangers_five.iter().all(|(_, residue)| !residue.is_empty()));
    let schema = &reference.collection("conversations", one).unwrap().schema;

    let mut group = criterion.benchmark_group("engine");
    let mut case = |name: &str, records: &[Stored], act: &dyn Fn(&Stored)| {
        group.throughput(Throughput::Bytes(records.iter().map(|(record, _)| record.len() as u64).sum()));
        group.bench_function(name, |bencher| bencher.iter(|| records.iter().for_each(act)));
    };
    let move_by = |chain, from, to| move |record: &_| drop(black_box(translate(chain, from, to, record)));
    case("serde_json", &plain, &|(text, _)| {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        drop(black_box(serde_json::to_string(&value).unwrap()));
    });
    case("parse", &plain, &|(text, _)| drop(black_box(Value::parse(text).unwrap())));
    case("validate", &plain, &|(text, _)| schema.validate(&Value::parse(text).unwrap()).unwrap());
    case("shallow", &plain, &move_by(&shallow, one, shallow.tip()));
    case("chain", &plain, &move_by(&reference, one, five));
    case("chain back", &plain_five, &move_by(&reference, five, one));
    case("chain, residue", &strangers, &move_by(&reference, one, five));
    case("chain back, residue", &strangers_five, &move_by(&reference, five, one));
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = engine
}
criterion_main!(benches);
