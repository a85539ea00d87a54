//! The laws of the step language, on random chains and random records: see `lens` for their names.
//!
//! A case is a tape of random choices (see `tape`); a failing one shrinks, and is kept in `regressions.txt`.
//! `CASES_TIMES=n` tries n times as many cases as usual.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod cases;
mod chains;
mod documents;
mod families;
mod tape;

use chains::{COLLECTION, Sample};
use documents::{declared, declares, edit, fitting, mark_objects, opened, set_text, texts};
use exuvia_core::chain::{Residues, Version};
use exuvia_core::document::Value;
use exuvia_core::lens::Context;
use exuvia_core::lens::Undo;
use exuvia_core::step::manuals;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{FileFailurePersistence, TestRunner};
use tape::Tape;

/// A document with what its migrations remember.
type Held = (Value<'static>, Residues<'static>);

/// Moves a document as a store would: written and read again on either side.
fn translate(sample: &Sample, from: Version, to: Version, held: &Held) -> Result<Held, exuvia_core::Error> {
    let (text, kept) = (held.0.to_json(), held.1.to_value().to_json());
    let mut value = Value::parse(&text)?;
    let mut residues = Residues::from_value(&Value::parse(&kept)?)?;
    let context = Context { now: 1_700_000_000_123, key: "key" };
    sample.chain.translate(COLLECTION, from, to, context, &mut value, &mut residues)?;
    let kept = residues.to_value().to_json();
    let again = Residues::from_value(&Value::parse(&kept)?)?;
    assert_eq!(again.to_value(), residues.to_value(), "residue changes on its way through JSON");
    assert_eq!(again, residues, "residue changes on its way through JSON");
    Ok((opened(&value), Residues::from_value(&opened(&residues.to_value()))?))
}

/// A chain, a record that fits its first version, and a residue: none, one from an earlier life of another record, or
/// one of the record itself, whose new form was edited, moved back and edited again.
struct Case {
    sample: Sample,
    held: Held,
    /// Whether the residue is the record's own, so that what it remembers fits the schemas too.
    own: bool,
}

const OLD: Version = Version(1);

impl Case {
    fn draw(tape: &mut Tape<'_>) -> Option<Self> {
        Self::of(Sample::draw(tape), tape)
    }

    fn of(sample: Sample, tape: &mut Tape<'_>) -> Option<Self> {
        let record = fitting(sample.schema(OLD), tape)?;
        let none = Residues::default();
        let (held, own) = match tape.below(3) {
            0 => ((record, none), true),
            1 => {
                let (_, residues) = up(&sample, &(record, none)).ok()?;
                ((fitting(sample.schema(OLD), tape)?, residues), false)
            }
            _ => {
                let mut there = up(&sample, &(record, none)).ok()?;
                edit(&mut there.0, sample.schema(sample.chain.tip()), tape);
                let mut back = down(&sample, &there).unwrap();
                edit(&mut back.0, sample.schema(OLD), tape);
                (back, true)
            }
        };
        Some(Self { sample, held, own })
    }

    fn new_schema(&self) -> &exuvia_core::schema::Schema {
        self.sample.schema(self.sample.chain.tip())
    }
}

fn up(sample: &Sample, held: &Held) -> Result<Held, exuvia_core::Error> {
    translate(sample, OLD, sample.chain.tip(), held)
}

fn down(sample: &Sample, held: &Held) -> Result<Held, exuvia_core::Error> {
    translate(sample, sample.chain.tip(), OLD, held)
}

/// Fails with the whole case told, so that it can be read without a debugger.
fn expect_same(found: &Held, expected: &Held, sample: &Sample, what: &str) -> Result<(), TestCaseError> {
    let told = |held: &Held| format!("{}\n   with {}", held.0.to_json(), held.1.to_value().to_json());
    prop_assert!(
        found.0 == expected.0 && found.1.to_value() == expected.1.to_value(),
        "{what}\nfound    {}\nexpected {}\n{sample}",
        told(found),
        told(expected)
    );
    Ok(())
}

fn expect_fit(sample: &Sample, version: Version, value: &Value<'_>, what: &str) -> Result<(), TestCaseError> {
    let fits = sample.schema(version).validate(value);
    prop_assert!(
        fits.is_ok(),
        "{what}: {}\n{}\ndoes not fit {}\n{sample}",
        fits.unwrap_err(),
        value.to_json(),
        sample.schema(version).to_value().to_json()
    );
    Ok(())
}

fn config() -> ProptestConfig {
    config_of(1_000)
}

/// `usual`: how many cases in an ordinary run.
pub fn config_of(usual: u32) -> ProptestConfig {
    let times = std::env::var("CASES_TIMES").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    let cases = usual * times;
    let kept = FileFailurePersistence::Direct("tests/laws/regressions.txt");
    ProptestConfig {
        cases,
        max_global_rejects: cases * 20,
        failure_persistence: Some(Box::new(kept)),
        ..ProptestConfig::default()
    }
}

/// Random tapes that are the same in every run.
fn tapes(count: usize) -> impl Iterator<Item = Vec<u32>> {
    let mut runner = TestRunner::deterministic();
    let strategy = choices();
    (0..count).map(move |_| strategy.new_tree(&mut runner).expect("a tape").current())
}

/// A kind of step that no chain here has would be a kind whose laws nobody holds to account.
#[test]
fn every_kind_of_step_is_drawn() {
    for (verb, _) in manuals() {
        let drawn = tapes(400).filter(|choices| Sample::draw_kind(verb, &mut Tape::new(choices)).has(verb));
        assert!(
            drawn.take(10).count() == 10,
            "{verb} is drawn too seldom, or never; teach `Proposal::make` to propose it"
        );
    }
}

/// What only holds others is worth what it holds.
#[test]
fn every_kind_of_step_is_drawn_inside_of_others() {
    for (verb, _) in manuals() {
        for holder in ["each", "where"] {
            let mut drawn = tapes(300).map(|choices| Sample::draw_inside(holder, verb, &mut Tape::new(&choices)));
            assert!(drawn.any(|sample| sample.has_inside(holder, verb)), "{verb} is never drawn inside of {holder}");
        }
    }
}

/// Laws of memory say nothing of records that leave nothing to remember, and those of edits nothing where nobody edits.
#[test]
fn records_are_drawn_that_leave_residue_and_are_edited() {
    let (mut moved, mut remembered, mut edited, mut born) = (0, 0, 0, 0);
    for choices in tapes(1_000) {
        let tape = &mut Tape::new(&choices);
        let sample = Sample::draw(tape);
        let tip = sample.schema(sample.chain.tip());
        let Some(record) = fitting(sample.schema(OLD), tape) else { continue };
        let Ok(mut there) = up(&sample, &(record, Residues::default())) else { continue };
        moved += 1;
        remembered += usize::from(!there.1.is_empty());
        let before = there.0.clone();
        edit(&mut there.0, tip, tape);
        edited += usize::from(there.0 != before);
        born += usize::from(fitting(tip, tape).is_some());
    }
    println!("of 1000 records {moved} go up, {remembered} leave residue, {edited} are edited, {born} are born later");
    assert!(moved > 800 && remembered > 200 && edited > 400 && born > 800);
}

/// Enough choices for a chain, a record and some edits.
pub fn choices() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0..5_040_u32, 0..1_000)
}

/// Holds PutRL and soundness against one case.
fn goes_up_and_down(draw: impl FnOnce(&mut Tape<'_>) -> Sample, choices: &[u32]) -> Result<(), TestCaseError> {
    let mut tape = Tape::new(choices);
    let sample = draw(&mut tape);
    let Some(case) = Case::of(sample, &mut tape) else { return Ok(()) };
    let Ok(there) = up(&case.sample, &case.held) else { return Ok(()) };
    if case.own {
        expect_fit(&case.sample, case.sample.chain.tip(), &there.0, "up")?;
    }
    let back = down(&case.sample, &there)
        .map_err(|error| TestCaseError::fail(format!("down: {error}\n{}\n{}", there.0.to_json(), case.sample)))?;
    expect_same(
        &(back.0.clone(), Residues::default()),
        &(case.held.0.clone(), Residues::default()),
        &case.sample,
        "up, then down",
    )?;
    let again = up(&case.sample, &back).unwrap();
    expect_same(&again, &there, &case.sample, "up, down, up")?;
    let back_again = down(&case.sample, &again).unwrap();
    expect_same(&back_again, &back, &case.sample, "up, down, up, down")?;
    Ok(())
}

/// Holds PutLR, down-totality and soundness downwards against one case.
fn is_born_later(draw: impl FnOnce(&mut Tape<'_>) -> Sample, choices: &[u32]) -> Result<(), TestCaseError> {
    let tape = &mut Tape::new(choices);
    let sample = draw(tape);
    let Some(born) = fitting(sample.schema(sample.chain.tip()), tape) else { return Ok(()) };
    let back = down(&sample, &(born.clone(), Residues::default()))
        .map_err(|error| TestCaseError::fail(format!("down: {error}\n{}\n{sample}", born.to_json())))?;
    expect_fit(&sample, OLD, &back.0, "down")?;
    let again = up(&sample, &back)
        .map_err(|error| TestCaseError::fail(format!("up: {error}\n{}\n{sample}", back.0.to_json())))?;
    expect_same(&(again.0.clone(), Residues::default()), &(born, Residues::default()), &sample, "down, then up")?;
    let back_again = down(&sample, &again).unwrap();
    expect_same(&back_again, &back, &sample, "down, up, down")?;
    Ok(())
}

/// A target that no schema declares may hold what may not come back: it waits in the residue.
#[test]
fn a_partition_into_an_unknown_object_makes_one_that_fits() {
    let schema = r#"{"type":"object","required":["o"],"properties":{"o":{"type":"object","additionalProperties":{"type":"string"}}}}"#;
    let sample = Sample::of(schema, &[r#"{"partition":"/o","prefix":"a","to":"/x"}"#]);
    for x in [r#"{"q":7}"#, r#"{"a1":7,"q":"kept"}"#, r#"{"q":"kept"}"#, "{}", "7"] {
        let record = opened(&Value::parse(&format!(r#"{{"o":{{"a1":"goes","b":"stays"}},"x":{x}}}"#)).unwrap());
        let there = up(&sample, &(record.clone(), Residues::default())).unwrap();
        expect_fit(&sample, sample.chain.tip(), &there.0, "up").unwrap();
        let back = down(&sample, &there).unwrap();
        assert_eq!(back.0, record, "{sample}");
        expect_same(&up(&sample, &back).unwrap(), &there, &sample, "up, down, up").unwrap();
    }
}

proptest! {
    #![proptest_config(config())]

    /// PutRL, and soundness: what goes up fits, and comes down as it was, with the residue as it was.
    #[test]
    fn up_then_down_gives_back_what_was_there(choices in choices()) {
        goes_up_and_down(Sample::draw, &choices)?;
    }

    /// The same of a chain of one kind of steps, and of one without what could hide it.
    #[test]
    fn up_then_down_holds_for_each_kind_alone(choices in choices()) {
        goes_up_and_down(Sample::draw_alone, &choices)?;
    }

    /// What is said to be computed leaves no value behind, but of members that the schema before a step does not declare by
    /// their names; at most how many objects were made on the way.
    #[test]
    fn what_is_computed_leaves_no_value_behind(choices in choices()) {
        let tape = &mut Tape::new(&choices);
        let sample = Sample::draw(tape).apart();
        prop_assume!(sample.undo() == Undo::Computed);
        let Some(record) = fitting(sample.schema(OLD), tape) else { return Ok(()) };
        let only_declared = |value: &Value<'static>, version| declared(value, sample.schema(version), &|name| sample.names(name));
        let record = only_declared(&record, OLD);
        prop_assume!(sample.schema(OLD).accepts(&record));
        // Where forms are joined a schema forgets members, and they are unknown from then on.
        for version in (OLD.0..=sample.chain.tip().0).map(Version) {
            let Ok((there, _)) = translate(&sample, OLD, version, &(record.clone(), Residues::default())) else { return Ok(()) };
            prop_assume!(only_declared(&there, version) == there);
        }
        let Ok(there) = up(&sample, &(record.clone(), Residues::default())) else { return Ok(()) };
        let kept = there.1.to_value().to_json();
        let values = ["memo", "from", "to", "order", "sides", "branch"];
        let is_value = |name: &&str| kept.contains(&format!("\"{name}\":"));
        prop_assert!(!values.iter().any(is_value), "{}\nleaves {kept}\n{sample}", record.to_json());
    }

    /// PutLR, down-totality and soundness downwards: a record born at the newest version goes down without residue, to
    /// one that fits, and comes up as it was.
    #[test]
    fn a_record_born_later_has_a_way_back(choices in choices()) {
        is_born_later(Sample::draw, &choices)?;
    }

    /// The same of a chain of one kind of steps.
    #[test]
    fn a_way_back_is_there_for_each_kind_alone(choices in choices()) {
        is_born_later(Sample::draw_alone, &choices)?;
    }

    /// Edits made in between come along: an edited document goes down to one that fits, and comes up with the edits.
    #[test]
    fn edits_made_in_between_win(choices in choices()) {
        let tape = &mut Tape::new(&choices);
        let Some(case) = Case::draw(tape) else { return Ok(()) };
        let Ok(mut there) = up(&case.sample, &case.held) else { return Ok(()) };
        prop_assume!(case.own);
        edit(&mut there.0, case.new_schema(), tape);
        let back = down(&case.sample, &there).map_err(|error| TestCaseError::fail(format!("down: {error}\n{}\n{}", there.0.to_json(), case.sample)))?;
        expect_fit(&case.sample, OLD, &back.0, "down after an edit")?;
        let again = up(&case.sample, &back).map_err(|error| TestCaseError::fail(format!("up: {error}\n{}\n{}", back.0.to_json(), case.sample)))?;
        expect_same(&(again.0.clone(), Residues::default()), &(there.0, Residues::default()), &case.sample, "edit, down, up")?;
        let back_again = down(&case.sample, &again).unwrap();
        expect_same(&back_again, &back, &case.sample, "edit, down, up, down")?;
    }

    /// Lineage: a text that is found elsewhere after the way up, and edited there, comes back edited at its origin, and
    /// everything else as it was.
    #[test]
    fn an_edit_at_a_moved_place_comes_back_at_its_origin(choices in choices()) {
        let tape = &mut Tape::new(&choices);
        let sample = Sample::draw_moving(tape);
        let Some(mut case) = Case::of(sample, tape) else { return Ok(()) };
        let places = texts(&case.held.0);
        prop_assume!(!places.is_empty());
        let (origin, _) = tape.pick_ref(&places).clone();
        set_text(&mut case.held.0, &origin, "marked");
        prop_assume!(case.own && case.sample.schema(OLD).accepts(&case.held.0));
        let Ok(mut there) = up(&case.sample, &case.held) else { return Ok(()) };
        let found: Vec<_> = texts(&there.0).into_iter().filter(|(_, text)| text == "marked").collect();
        let [(place, _)] = &found[..] else { return Ok(()) };
        set_text(&mut there.0, place, "edited");
        prop_assume!(case.new_schema().accepts(&there.0));
        let back = down(&case.sample, &there).unwrap();
        let mut expected = case.held.0.clone();
        set_text(&mut expected, &origin, "edited");
        let is_in_array = origin.iter().chain(place).any(|token| token.parse::<usize>().is_ok());
        if is_in_array {
            // An edited item of an array may have lost what was remembered of it, and with that members of it that no schema
            // declared by their names before a step made them its own; but no text of its own.
            let own = texts(&declared(&case.held.0, case.sample.schema(OLD), &|name| case.sample.names(name)));
            let is_own = own.iter().any(|(place, _)| *place == origin);
            prop_assert!(!is_own || texts(&back.0).contains(&(origin, "edited".to_owned())), "{}\n{}\n{}", case.held.0.to_json(), back.0.to_json(), case.sample);
        } else {
            expect_same(&(back.0, Residues::default()), &(expected, Residues::default()), &case.sample, "edited above, then down")?;
        }
    }

    /// Frame and unknown fields: what no step names stays in place, and what a step covers waits in the residue.
    #[test]
    fn unknown_fields_survive(choices in choices()) {
        let tape = &mut Tape::new(&choices);
        let sample = Sample::draw(tape);
        let Some(mut record) = fitting(sample.schema(OLD), tape) else { return Ok(()) };
        let marks = mark_objects(&mut record, sample.schema(OLD));
        let Ok(there) = up(&sample, &(record.clone(), Residues::default())) else { return Ok(()) };
        let (in_place, kept) = (there.0.to_json(), there.1.to_value().to_json());
        for mark in &marks {
            prop_assert!(in_place.contains(mark.as_str()) || kept.contains(mark.as_str()), "{mark} is lost\n{}\n{in_place}\n{kept}\n{sample}", record.to_json());
        }
        // These two take members by what they are not named, or not wholly; and a step may change the record whole.
        prop_assume!(!sample.has("pick") && !sample.has("partition") && !sample.changes_whole_records());
        let (Value::Object(before), Value::Object(after)) = (&record, &there.0) else { return Ok(()) };
        // Whatever comes up out of an object is declared where it arrives, and covers what stood there.
        let arrives = |name: &str| {
            let mut later = (OLD.0 + 1..=sample.chain.tip().0).map(Version);
            !declares(sample.schema(OLD), name) && later.any(|version| declares(sample.schema(version), name))
        };
        for (name, value) in before.iter().filter(|(name, _)| !sample.names(name) && !arrives(name)) {
            prop_assert_eq!(after.get(name), Some(value), "{} is named by no step\n{}", name, sample);
        }
    }
}
