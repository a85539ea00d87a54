//! Import files are hostile until proved otherwise: one is refused, and the store is as it was; or it is in, and what
//! the store holds then can be exported and imported again.

#![no_main]

mod samples;
#[allow(dead_code)]
#[path = "../../crates/core/tests/simulator/machine.rs"]
mod machine;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::LazyLock;

use exuvia_core::Result;
use exuvia_core::chain::{Chain, Link, Version};
use exuvia_core::protocol::{Merge, Request, State, Status, run};
use exuvia_core::records::{Bytes, Records, Sink};
use libfuzzer_sys::{Corpus, fuzz_target};
use machine::{Machine, Process};
use pollster::block_on;

type Stored = BTreeMap<String, String>;

/// A chain, and a store that holds data at its tip.
struct Place {
    chain: Chain,
    stored: Stored,
}

static PLACES: LazyLock<[Place; 2]> = LazyLock::new(|| [place(1), place(5)]);

const OLD: [(&str, &str); 4] = [
    (
        "user_preferences",
        r#"{"model_preference":"m","privacy_mode":"balanced","theme":"dark","shortcuts":{},"api_keys":{},"x":1}"#,
    ),
    (
        "conversations",
        r#"[{"id":"b","title":"B","create_time":1.5,"update_time":2,"messages":[{"sender":"human","text":"hi","time":null}]},{"id":"a","title":"","create_time":0,"update_time":0,"messages":[]}]"#,
    ),
    ("distillations", r#"{"d":{"conversation":"a","text":"T","tags":"x,y, z","created":3}}"#),
    ("somebody_elses", "[1,2]"),
];

fuzz_target!(|data: &[u8]| -> Corpus {
    let [choice, piece, rest @ ..] = data else { return Corpus::Reject };
    let place = &PLACES[usize::from(choice & 1)];
    let merge = [Merge::Replace, Merge::Keep, Merge::Take, Merge::Replace][usize::from(choice >> 1 & 3)];
    let version = Version(u32::from(choice >> 4) % 5 + 1);
    // Few changed bytes leave a whole file with a header that is known and a footer that counts right.
    let file = if choice & 8 == 0 { rest.to_vec() } else { framed(version, rest) };
    let file = Pieces { rest: &file, length: usize::from(*piece) + 1 };
    let machine = holding(&place.stored);
    let preview = block_on(records(&machine, &place.chain).preview(file, merge));
    let staged = block_on(records(&machine, &place.chain).stage(file));
    assert_eq!(*machine.stored.borrow(), place.stored, "neither writes to the store");
    assert_eq!(preview.is_ok(), staged.is_ok(), "{preview:?} and {staged:?}");
    let Ok(staged) = staged else {
        assert_eq!(machine.kept(), 0, "what was refused is not kept");
        return Corpus::Keep;
    };
    match ask(&machine, &place.chain, Request::Import { staged, merge }) {
        Ok(status) => {
            assert_eq!(status.state, State::Current);
            come_again(&machine, &place.chain);
        }
        Err(error) => assert_eq!(without_head(&machine.stored.borrow()), without_head(&place.stored), "{error}"),
    }
    Corpus::Keep
});

/// What a store exports comes into an empty one, which then exports the same.
fn come_again(machine: &Rc<Machine>, chain: &Chain) {
    let file = export(machine, chain);
    let fresh = holding(&Stored::new());
    let staged = block_on(records(&fresh, chain).stage(Pieces { rest: file.as_bytes(), length: file.len() }));
    let staged = staged.unwrap_or_else(|error| panic!("{error}: {file}"));
    let status = ask(&fresh, chain, Request::Import { staged, merge: Merge::Replace });
    status.unwrap_or_else(|error| panic!("{error}: {file}"));
    assert_eq!(export(&fresh, chain), file);
}

/// Lines of records with a header before them and a footer after.
fn framed(version: Version, lines: &[u8]) -> Vec<u8> {
    let line: Vec<_> = PLACES[1].chain.line(version).cloned().collect();
    let link = |link: &Link| format!(r#"{{"id":"{}","hash":"{}","head":"{}"}}"#, link.id, link.hash, link.head);
    let line = line.iter().map(link).collect::<Vec<_>>().join(",");
    let chain = PLACES[1].chain.text().to_owned();
    let header = format!(r#"{{"exuvia":"export","format":1,"version":{version},"line":[{line}],"chain":{chain}}}"#);
    let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
    let count = if lines.is_empty() { 0 } else { lines.split(|byte| *byte == b'\n').count() };
    let footer = format!(r#"{{"end":true,"records":{count}}}"#);
    let parts = [header.as_bytes(), lines, footer.as_bytes()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(&b'\n')
}

fn place(length: usize) -> Place {
    let chain = samples::chain(&samples::REFERENCE[..length]);
    let machine = Machine::holding(&OLD);
    ask(&machine, &chain, Request::Migrate { retry: false }).expect("the data fits");
    let stored = machine.stored.borrow().clone();
    Place { chain, stored }
}

fn holding(stored: &Stored) -> Rc<Machine> {
    let machine = Machine::holding(&[]);
    machine.stored.replace(stored.clone());
    machine
}

fn records<'c>(machine: &Rc<Machine>, chain: &'c Chain) -> Records<'c, Process, Process, Process> {
    let process = machine.process();
    Records::new(chain, process.clone(), process.clone(), process, 3)
}

fn ask(machine: &Rc<Machine>, chain: &Chain, request: Request) -> Result<Status> {
    block_on(run(&records(machine, chain), chain, request))
}

fn export(machine: &Rc<Machine>, chain: &Chain) -> String {
    let mut file = Text(String::new());
    block_on(records(machine, chain).export(&mut file)).expect("data at rest is exported");
    file.0
}

/// What is stored, but for the note of what was tried last.
fn without_head(stored: &Stored) -> Stored {
    stored.iter().filter(|(key, _)| *key != "exuvia").map(|(key, text)| (key.clone(), text.clone())).collect()
}

/// A file that arrives piece by piece.
#[derive(Clone, Copy)]
struct Pieces<'f> {
    rest: &'f [u8],
    length: usize,
}

impl Bytes for Pieces<'_> {
    async fn next(&mut self) -> Result<Vec<u8>> {
        let (piece, rest) = self.rest.split_at(self.length.min(self.rest.len()));
        self.rest = rest;
        Ok(piece.to_vec())
    }
}

struct Text(String);

impl Sink for Text {
    fn take(&mut self, text: &str) -> Result<()> {
        self.0.push_str(text);
        Ok(())
    }
}
