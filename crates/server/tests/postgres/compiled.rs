//! What PostgreSQL makes of records is what the interpreter makes of them: on random chains, records and residues.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;

use exuvia_core::chain::{Residues, Route, Version};
use exuvia_core::document::Value;
use exuvia_core::lens::Context;
use exuvia_core::step::manuals;
use exuvia_server::postgres::compile::{LIBRARY, Program, compile};
use postgres::{Client, Transaction};
use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};

use crate::chains::{COLLECTION, Sample};
use crate::documents::{anything, edit, fitting, opened};
use crate::server::Server;
use crate::tape::Tape;

const OLD: Version = Version(1);
const NOW: i64 = 1_700_000_000_123;
const KEY: &str = "it's \\ a key";

/// A document and its residue, as texts.
type Held = (String, String);

/// How many records the interpreter can move, and how many of them PostgreSQL has.
#[derive(Clone, Copy, Default)]
struct Tally {
    moved: usize,
    done: usize,
}

/// A way between two versions of a chain, compiled.
struct Way<'c> {
    sample: &'c Sample,
    from: Version,
    to: Version,
    program: Program,
}

impl<'c> Way<'c> {
    /// `None` where the chain calls functions of the author's own.
    fn compile(sample: &'c Sample, from: Version, to: Version) -> Option<Self> {
        let route = Route::between((&sample.chain, from), (&sample.chain, to));
        let legs = route.legs(COLLECTION).expect("records that stay in their collection");
        match compile(&legs, None) {
            Ok(program) => Some(Self { sample, from, to, program }),
            Err(unsupported) => {
                assert!(sample.has("custom"), "{unsupported}\n{sample}");
                None
            }
        }
    }

    fn interpret(&self, (doc, residue): &Held) -> Result<Held, exuvia_core::Error> {
        let mut value = Value::parse(doc)?;
        let mut residues = Residues::from_value(&Value::parse(residue)?)?;
        let context = Context { now: NOW, key: KEY };
        self.sample.chain.translate(COLLECTION, self.from, self.to, context, &mut value, &mut residues)?;
        Ok((value.to_json(), residues.to_value().to_json()))
    }

    fn install(&self, client: &mut Transaction<'_>) {
        for statement in &self.program.statements {
            client.batch_execute(statement).unwrap_or_else(|error| panic!("{error:?}\n{statement}"));
        }
    }

    /// Moves records inside the server; `None` for those that are left to the interpreter.
    fn run(&self, client: &mut Transaction<'_>, records: &[Held]) -> Result<Vec<Option<Held>>, postgres::Error> {
        let (docs, residues): (Vec<&str>, Vec<&str>) =
            records.iter().map(|(doc, residue)| (doc.as_str(), residue.as_str())).unzip();
        let query = format!(
            "SELECT moved.doc::text, coalesce(moved.residue, '{{}}')::text, moved.done
             FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS record(doc, residue, ord),
                  {}(record.doc::jsonb, record.residue::jsonb, $3, $4) AS moved
             ORDER BY record.ord",
            self.program.name
        );
        let rows = client.query(&query, &[&docs, &residues, &KEY, &NOW])?;
        Ok(rows.iter().map(|row| row.get::<_, bool>(2).then(|| (row.get(0), row.get(1)))).collect())
    }

    /// Moves records, and holds each against the interpreter. Answers with what came of them: with PostgreSQL's own
    /// residue where it has moved one, with the interpreter's elsewhere.
    fn compare(
        &self,
        client: &mut Transaction<'_>,
        records: &[Held],
        tally: &mut Tally,
    ) -> Result<Vec<Option<Held>>, TestCaseError> {
        let found = self.run(client, records).map_err(|error| {
            let told: Vec<_> = records.iter().map(told).collect();
            self.fail(format!("{error:?}\n{}", told.join("\n")))
        })?;
        records.iter().zip(found).map(|(record, found)| self.compare_one(record, found, tally)).collect()
    }

    fn compare_one(
        &self,
        record: &Held,
        found: Option<Held>,
        tally: &mut Tally,
    ) -> Result<Option<Held>, TestCaseError> {
        let expected = self.interpret(record);
        tally.moved += usize::from(expected.is_ok());
        let Some(found) = found else { return Ok(expected.ok()) };
        tally.done += 1;
        let case = format!("{} to {}: {}\nfound    {}", self.from, self.to, told(record), told(&found));
        let expected = expected.map_err(|error| self.fail(format!("{case}\nrefused: {error}")))?;
        match is_same(&found, &expected) {
            true => Ok(Some(found)),
            false => Err(self.fail(format!("{case}\nexpected {}", told(&expected)))),
        }
    }

    fn fail(&self, what: String) -> TestCaseError {
        TestCaseError::fail(format!("{what}\n{}\n{}", self.sample, self.program.statements.join(";\n")))
    }
}

fn told((doc, residue): &Held) -> String {
    format!("{doc}\n   with {residue}")
}

/// Whether two documents are equal, and their residues mean the same.
fn is_same((found, found_residue): &Held, (expected, expected_residue): &Held) -> bool {
    let is_equal = |a: &str, b: &str| Value::parse(a).unwrap() == Value::parse(b).unwrap();
    is_equal(found, expected) && read(found_residue) == read(expected_residue)
}

/// A residue as the interpreter reads it, with what it knows of the items of a list in one order.
fn read(residue: &str) -> Value<'static> {
    let residues = Residues::from_value(&Value::parse(residue).unwrap()).unwrap();
    let mut value = opened(&residues.to_value());
    sort_items(&mut value);
    value
}

fn sort_items(value: &mut Value<'static>) {
    match value {
        Value::Object(object) => object.iter_mut().for_each(|(_, inner)| sort_items(inner)),
        Value::Array(items) => {
            items.iter_mut().for_each(sort_items);
            let is_known = |item: &Value<'_>| matches!(item, Value::Array(parts) if parts.len() == 5);
            if items.iter().all(is_known) {
                items.sort_by_key(Value::to_json);
            }
        }
        _ => {}
    }
}

/// Holds one chain against the interpreter: up with records of all kinds of pasts, down with what came of them, edited
/// and not, and with records that were born later, and up again.
fn hold(sample: &Sample, tape: &mut Tape<'_>, client: &mut Client, tally: &mut Tally) -> Result<(), TestCaseError> {
    let tip = sample.chain.tip();
    let Some((up, down)) = Way::compile(sample, OLD, tip).zip(Way::compile(sample, tip, OLD)) else { return Ok(()) };
    // The functions go with the transaction.
    let client = &mut client.transaction().unwrap();
    up.install(client);
    down.install(client);
    let plain = |value: Value<'_>| (value.to_json(), "{}".to_owned());
    let mut records: Vec<_> = (0..4).filter_map(|_| fitting(sample.schema(OLD), tape)).map(plain).collect();
    records.push(plain(anything(tape, 3)));
    let there = up.compare(client, &records, tally)?;

    let mut later: Vec<_> = there.iter().flatten().cloned().collect();
    later.extend(later.clone().into_iter().map(|held| edited(held, sample, tip, tape)));
    later.extend(fitting(sample.schema(tip), tape).map(plain));
    // As the interpreter would have left them, and those of other records.
    let interpreted: Vec<_> = records.iter().filter_map(|record| up.interpret(record).ok()).collect();
    let strange = records.iter().zip(&interpreted).map(|(_, (_, residue))| residue.clone());
    let strangers: Vec<_> =
        strange.filter_map(|residue| Some((fitting(sample.schema(tip), tape)?.to_json(), residue))).collect();
    later.extend(interpreted);
    later.extend(strangers);
    let back = down.compare(client, &later, tally)?;

    let again: Vec<_> = back.into_iter().flatten().map(|held| edited(held, sample, OLD, tape)).collect();
    up.compare(client, &again, tally)?;
    Ok(())
}

fn edited((doc, residue): Held, sample: &Sample, version: Version, tape: &mut Tape<'_>) -> Held {
    let mut value = opened(&Value::parse(&doc).expect("JSON"));
    edit(&mut value, sample.schema(version), tape);
    (value.to_json(), residue)
}

fn choices() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0..5_040_u32, 0..600)
}

/// A server with the library, and a connection to it.
fn start() -> (Server, RefCell<Client>) {
    let server = Server::start().unwrap();
    let mut client = server.connect().unwrap();
    client.batch_execute(LIBRARY).unwrap();
    (server, RefCell::new(client))
}

fn config(usual: u32) -> ProptestConfig {
    let times = std::env::var("CASES_TIMES").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    let cases = usual * times;
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_global_rejects: cases * 200,
        max_shrink_iters: 500,
        ..ProptestConfig::default()
    }
}

fn run(cases: u32, test: impl Fn(&mut Tape<'_>) -> Result<(), TestCaseError>) {
    let outcome = TestRunner::new(config(cases)).run(&choices(), |choices| test(&mut Tape::new(&choices)));
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, choices)) => panic!("{reason}\nchoices: {choices:?}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

#[test]
fn random_chains_do_in_the_server_what_the_interpreter_does() {
    let (_server, client) = start();
    let tally = RefCell::new(Tally::default());
    run(200, |tape| {
        let sample = Sample::draw(tape);
        hold(&sample, tape, &mut client.borrow_mut(), &mut tally.borrow_mut())
    });
    println!("all kinds: {}", tally.borrow());
}

/// A kind that is always left to the interpreter would be one that nobody has compiled.
#[test]
fn each_kind_of_step_runs_in_the_server() {
    let (_server, client) = start();
    let mut tallies = BTreeMap::new();
    for (verb, _) in manuals() {
        let tally = RefCell::new(Tally::default());
        run(8, |tape| {
            let sample = Sample::draw_kind(verb, tape);
            prop_assume!(sample.has(verb));
            hold(&sample, tape, &mut client.borrow_mut(), &mut tally.borrow_mut())
        });
        tallies.insert(verb, tally.into_inner());
    }
    let mut report = String::new();
    for (verb, tally) in &tallies {
        writeln!(report, "{verb:>14}: {tally}").unwrap();
    }
    println!("{report}");
    let idle = |(verb, tally): &(&&str, &Tally)| **verb != "custom" && 10 * tally.done < 8 * tally.moved.max(1);
    let idle: Vec<_> = tallies.iter().filter(idle).map(|(verb, _)| verb).collect();
    assert!(idle.is_empty(), "{idle:?} are left to the interpreter too often\n{report}");
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} records moved in the server", self.done, self.moved)
    }
}
