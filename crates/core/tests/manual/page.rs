//! `docs/steps.md`.

use std::fmt::Write as _;

use exuvia_core::lens::Undo;
use exuvia_core::step::manual::{Chapter, Example, Form, Manual, Member};
use exuvia_core::step::manuals;

use crate::sample::{Sample, steps_chain};

const HEAD: &str = include_str!("head.md");
const TAIL: &str = include_str!("tail.md");

const CHAPTERS: [(Chapter, &str); 5] = [
    (Chapter::Fields, "Members come, go, and change their places"),
    (Chapter::Values, "Values become others"),
    (Chapter::Inside, "Further in, and only sometimes"),
    (Chapter::Keyed, "Lists with keys, objects as maps"),
    (Chapter::Code, "Your own code"),
];

pub fn page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n## All steps\n\n| step | what it does | undone |\n|---|---|---|\n");
    for (verb, manual) in manuals() {
        let undo = undo_words(Sample::of(&manual.example).unwrap().words().1);
        writeln!(page, "| [`{verb}`](#{verb}) | {} | {undo} |", manual.summary).unwrap();
    }
    page.push_str("\nThe last column is for the example of each; `exuvia explain` says it for every step of yours.\n");
    for (chapter, title) in CHAPTERS {
        writeln!(page, "\n## {title}").unwrap();
        manuals()
            .filter(|(_, manual)| manual.chapter == chapter)
            .for_each(|(verb, manual)| entry(verb, manual, &mut page));
    }
    page.push('\n');
    page.push_str(TAIL);
    page
}

fn undo_words(undo: Undo) -> &'static str {
    match undo {
        Undo::Computed => "computed",
        Undo::Kept => "from residue",
        Undo::Never => "never",
    }
}

fn entry(verb: &str, manual: &Manual, page: &mut String) {
    let Manual { summary, members, example, notes, mistake, .. } = manual;
    writeln!(page, "\n### {verb}\n\n{summary}\n\n| member | is | |\n|---|---|---|").unwrap();
    members.iter().for_each(|member| row(member, page));
    let (words, _) = Sample::of(example).unwrap().words();
    writeln!(page, "\n```json\n{}\n```\n", example.step).unwrap();
    let Example { schema, before, after, .. } = example;
    writeln!(page, "after the schema `{}` turns `{}` into `{}`.", inline(schema), inline(before), inline(after))
        .unwrap();
    writeln!(page, "`exuvia explain` says: *{words}.*").unwrap();
    if !notes.is_empty() {
        writeln!(page, "\n{notes}").unwrap();
    }
    let error = steps_chain(mistake.schema, mistake.step).expect_err(verb);
    writeln!(page, "\n*A common mistake.* {}", mistake.what).unwrap();
    writeln!(page, "\n```json\n{}\n```\n", mistake.step).unwrap();
    writeln!(page, "is refused after the schema `{}`:\n\n> {}", inline(mistake.schema), error.message()).unwrap();
}

/// Code in a line of text.
fn inline(json: &str) -> String {
    json.replace('`', "'")
}

fn row(member: &Member, page: &mut String) {
    let optional = if member.required { "" } else { "optional. " };
    writeln!(page, "| `{}` | {} | {optional}{} |", member.name, form_words(&member.form), member.what).unwrap();
}

fn form_words(form: &Form) -> String {
    match form {
        Form::Place => "a path".to_owned(),
        Form::Field => "a path, not empty".to_owned(),
        Form::Fields => "a list of paths".to_owned(),
        Form::FieldOrFields => "a path, or a list of paths".to_owned(),
        Form::Value => "any value".to_owned(),
        Form::Text => "a text".to_owned(),
        Form::Texts => "a list of texts".to_owned(),
        Form::Count => "a whole number".to_owned(),
        Form::True => "`true`".to_owned(),
        Form::Object => "an object".to_owned(),
        Form::Names => "an object of texts".to_owned(),
        Form::Schema => "a schema".to_owned(),
        Form::Steps => "a list of steps".to_owned(),
        Form::Predicate => "a predicate".to_owned(),
        Form::Word(words) => words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", "),
        Form::Other(words, _) => (*words).to_owned(),
    }
}
