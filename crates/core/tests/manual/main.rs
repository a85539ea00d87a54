//! The reference page and the editors' schema, made of what the kinds of steps say of themselves; and every example and
//! every mistake in them, run.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod editors;
mod page;
mod sample;

use std::path::{Path, PathBuf};

use exuvia_core::ErrorKind;
use exuvia_core::document::Value;
use exuvia_core::step::manuals;
use sample::{Sample, steps_chain};

/// Set by `cargo xtask docs`: what the tests compare is then written.
const WRITE: &str = "EXUVIA_WRITE_DOCS";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Compares a file with what it should be, or writes it.
fn expect_file(path: &str, made: &str, same: fn(&str, &str) -> bool) {
    let file = root().join(path);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, made).unwrap();
        return;
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(same(&found, made), "{path} is not what the kinds of steps say; run `cargo xtask docs`");
}

#[test]
fn the_reference_page_is_what_the_kinds_say() {
    expect_file("docs/steps.md", &page::page(), |found, made| found == made);
}

#[test]
fn the_editors_schema_is_what_the_kinds_say() {
    let same = |found: &str, made: &str| Value::parse(found).ok() == Value::parse(made).ok();
    expect_file(editors::FILE, &editors::schema(), same);
}

#[test]
fn every_example_goes_up_and_comes_back() {
    for (verb, manual) in manuals() {
        let sample = Sample::of(&manual.example).unwrap_or_else(|error| panic!("{verb}: {error}"));
        let before = Value::parse(manual.example.before).unwrap();
        let after = Value::parse(manual.example.after).unwrap();
        let (found, residues) = sample.up(&before);
        assert_eq!(found, after, "{verb} up");
        assert_eq!(sample.down(&found, &residues), before, "{verb} down again");
    }
}

#[test]
fn every_mistake_is_refused() {
    for (verb, manual) in manuals() {
        let loaded = steps_chain(manual.mistake.schema, manual.mistake.step);
        let error = loaded.expect_err(verb);
        assert_eq!(error.kind(), ErrorKind::Chain, "{verb}: {error}");
    }
}

#[test]
fn every_member_is_named_and_every_verb_comes_first() {
    for (verb, manual) in manuals() {
        assert_eq!(manual.members[0].name, verb);
        for step in [manual.example.step, manual.mistake.step] {
            let Value::Object(members) = Value::parse(step).unwrap().opened().unwrap() else { panic!("{verb}") };
            assert_eq!(members.iter().next().unwrap().0, verb);
            let named = |name: &str| manual.members.iter().any(|member| member.name == name);
            assert!(members.iter().all(|(name, _)| named(name)), "{verb}: {step} has a member that is not described");
        }
    }
}

/// The members that the page describes are those that a step is read with, no more and no less.
#[test]
fn what_is_described_is_what_is_read() {
    for (verb, manual) in manuals() {
        let Value::Object(mut step) = Value::parse(manual.example.step).unwrap().opened().unwrap() else { panic!() };
        step.insert("no such member", Value::Null);
        let error = steps_chain(manual.example.schema, &Value::Object(step).to_json()).expect_err(verb);
        let known = error.message().split("no members but ").nth(1).and_then(|rest| rest.split(';').next());
        let known: Vec<_> = known.unwrap_or_else(|| panic!("{verb}: {error}")).split(", ").collect();
        for member in manual.members.iter().filter(|member| verb != "wrap" && verb != "unwrap" || member.required) {
            assert!(known.contains(&member.name), "{verb} does not read {:?}", member.name);
        }
        for name in known {
            assert!(manual.members.iter().any(|member| member.name == name), "{verb} reads {name:?}, undescribed");
        }
    }
}

#[test]
fn chain_files_and_examples_fit_the_editors_schema() {
    let schema: serde_json::Value = serde_json::from_str(&editors::schema()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let expect_valid = |what: &str, text: &str| {
        let file = serde_json::from_str(text).unwrap();
        let errors: Vec<_> = validator.iter_errors(&file).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{what}: {errors:?}");
    };
    for (verb, manual) in manuals() {
        for step in [manual.example.step, manual.mistake.step] {
            expect_valid(verb, &sample::change(step));
        }
        let mut strange = serde_json::from_str::<serde_json::Value>(&sample::change(manual.example.step)).unwrap();
        strange["change"][sample::COLLECTION][0]["no such member"] = serde_json::Value::Null;
        assert!(!validator.is_valid(&strange), "{verb}: a member that is not described is valid");
    }
    for folder in ["extension/chain", "examples/assistant/chain"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let is_json = path.extension().is_some_and(|extension| extension == "json");
            if is_json && !["chain.lock.json", "chain.json"].iter().any(|other| path.ends_with(other)) {
                expect_valid(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap());
            }
        }
    }
}

/// A reader who wonders how a step looks in a real chain finds it in the second one.
#[test]
fn the_second_chain_has_every_kind_of_step() {
    let mut found = String::new();
    for entry in std::fs::read_dir(root().join("examples/assistant/chain")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") && !path.ends_with("chain.json") {
            found += &std::fs::read_to_string(path).unwrap().split_whitespace().collect::<String>();
        }
    }
    for (verb, _) in manuals() {
        assert!(found.contains(&format!("{{\"{verb}\":")), "no {verb}");
    }
}
