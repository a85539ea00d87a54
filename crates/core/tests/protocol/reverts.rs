//! Data that somebody brings to another version by hand, and that stays there.

use exuvia_core::chain::Version;
use exuvia_core::protocol::{Cause, Outcome};

use super::routes::{at, set};
use super::*;

fn revert(machine: &Rc<Machine>, chain: &Chain, to: u32) -> Result<Status> {
    ask(machine, chain, Request::Revert { to: Version(to) })
}

fn retry(machine: &Rc<Machine>, chain: &Chain) -> Status {
    ask(machine, chain, Request::Migrate { retry: true }).unwrap()
}

#[test]
fn reverted_data_is_what_the_version_had_and_stays_until_it_is_asked_for() {
    let five = chain(5);
    for to in 1..5 {
        let machine = at(&five);
        let status = revert(&machine, &five, to).unwrap();
        assert_eq!((status.state, status.version.0), (State::Held, to));
        let report = status.last_run.unwrap();
        assert_eq!((report.cause, report.outcome, report.from.0), (Cause::Revert, Outcome::Committed, 5));
        let expected = at(&chain(to as usize)).data();
        let expected: Vec<_> = expected.iter().map(|(key, text)| (&**key, &**text)).collect();
        assert_holds(&machine, &expected, &format!("reverted to {to}"));
        let before = machine.stored.borrow().clone();
        assert_eq!(open(&machine, &five).unwrap().state, State::Held, "at the next start");
        assert_eq!(*machine.stored.borrow(), before, "nothing is written");
        assert_eq!(retry(&machine, &five).state, State::Current);
        assert_holds(&machine, &NEW, "up again");
        assert_eq!(open(&machine, &five).unwrap().state, State::Current);
    }
}

#[test]
fn what_was_written_since_stays() {
    let five = chain(5);
    let machine = at(&five);
    set(&machine, "conversation:b", "\"hi\"", "\"edited\"");
    set(&machine, "distillation:e", "\"tags\":[]", "\"tags\":[\"new\"]");
    machine.stored.borrow_mut().remove("conversation:a");
    let born = r#"{"id":"z","title":"Z","create_time":"2020-01-01T00:00:00Z","update_time":"2020-01-01T00:00:00Z","messages":[]}"#;
    machine.stored.borrow_mut().insert("conversation:z".into(), born.into());
    revert(&machine, &five, 1).unwrap();
    let data = machine.data();
    let conversations = &data["conversations"];
    assert!(conversations.contains("edited"), "an edit wins: {conversations}");
    assert!(!conversations.contains("\"id\":\"a\""), "what was deleted stays deleted: {conversations}");
    assert!(
        conversations.contains("\"create_time\":1577836800"),
        "what was born later has a way down: {conversations}"
    );
    assert!(data["distillations"].contains("\"tags\":\"new\""), "{}", data["distillations"]);
    assert!(data["distillations"].contains("\"tags\":\"x,y, z\""), "what nobody touched comes back exactly");
    assert!(data["user_preferences"].contains("\"privacy_mode\":\"balanced\""), "{}", data["user_preferences"]);
}

/// Of the cards nothing says which mode stood there before but the residue; of the others the step tells.
#[test]
fn the_report_counts_what_was_written_since() {
    let cards = |length| {
        let one = r#"{"exuvia":1,"id":"one","collections":{
            "cards":{"layout":{"prefix":"card:"},"schema":{"type":"object","required":["mode"],"properties":{"mode":{"enum":["a","b","c"]}}}},
            "marks":{"layout":{"prefix":"mark:"},"schema":{"type":"object","properties":{"at":{"type":"string"}}}}}}"#;
        let two = r#"{"exuvia":1,"id":"two","parents":["one"],"change":{
            "cards":[{"map":"/mode","table":{"a":"x","b":"x","c":"y"},"back":{"x":"a"}}],"marks":[{"rename":"/at","to":"/place"}]}}"#;
        sequences::custom(&[one, two][..length])
    };
    let old: Vec<_> = (0..4).map(|index| (format!("card:{index}"), r#"{"mode":"b"}"#)).collect();
    let mut old: Vec<_> = old.iter().map(|(key, text)| (&**key, *text)).collect();
    old.extend([("card:plain", r#"{"mode":"a"}"#), ("mark:1", r#"{"at":"p"}"#)]);
    let notes = |change: fn(&mut BTreeMap<String, String>)| {
        let machine = Machine::holding(&old);
        open(&machine, &cards(1)).unwrap();
        open(&machine, &cards(2)).unwrap();
        change(&mut machine.stored.borrow_mut());
        revert(&machine, &cards(2), 1).unwrap().last_run.unwrap().notes
    };
    let without = |count| {
        format!(
            "{count} records of cards came down without residue: they were made since, or nothing had to be remembered of them"
        )
    };
    assert_eq!(notes(|_| {}), [without(1)]);
    let written = notes(|stored| {
        stored.insert("card:0".into(), r#"{"mode":"y"}"#.into());
        stored.insert("card:1".into(), r#"{"mode":"y"}"#.into());
        stored.insert("card:2".into(), r#"{"mode":"x","unknown":1}"#.into());
        stored.insert("card:born".into(), r#"{"mode":"x"}"#.into());
        stored.insert("mark:born".into(), r#"{"place":"q"}"#.into());
    });
    let changed = "2 records of cards were changed since they came up, and the change came down".to_owned();
    assert_eq!(written, [without(2), changed]);
}

#[test]
fn a_record_that_was_deleted_and_added_again_is_the_new_one() {
    let five = chain(5);
    let machine = at(&five);
    let again = NEW[0].1.replace("90", "30").replace("true", "false");
    machine.stored.borrow_mut().insert("user_preferences".into(), again);
    revert(&machine, &five, 1).unwrap();
    let preferences = machine.data()["user_preferences"].clone();
    assert!(
        preferences.contains("\"privacy_mode\":\"strict\""),
        "the default, not what another record was: {preferences}"
    );
}

#[test]
fn a_death_at_any_operation_of_a_revert_ends_in_the_new_data_or_in_the_old_held() {
    let five = chain(5);
    let whole = at(&five);
    revert(&whole, &five, 1).unwrap();
    let (mut stayed, mut reverted) = (0, 0);
    for death in 0..whole.operations.get() {
        for rotten in [false, true] {
            let machine = at(&five);
            machine.torn.set(!rotten);
            machine.fuel.set(Some(death));
            revert(&machine, &five, 1).unwrap_err();
            machine.fuel.set(None);
            machine.torn.set(false);
            if rotten {
                machine.rot();
            }
            let when = format!("after a death at {death}, rotten {rotten}");
            match open(&machine, &five).unwrap().state {
                State::Current => {
                    stayed += 1;
                    assert_holds(&machine, &NEW, &when);
                }
                State::Held => {
                    reverted += 1;
                    assert_holds(&machine, &OLD, &when);
                }
                other => panic!("{other:?} {when}"),
            }
            retry(&machine, &five);
            assert_holds(&machine, &NEW, &format!("up again {when}"));
        }
    }
    assert!(stayed > 10 && reverted > 10, "{stayed} stayed, {reverted} were reverted");
}

#[test]
fn data_is_held_against_the_chain_that_it_was_reverted_from_and_no_other() {
    let (three, four, five) = (chain(3), chain(4), chain(5));
    let machine = at(&four);
    assert_eq!(revert(&machine, &four, 2).unwrap().state, State::Held);
    assert_eq!(open(&machine, &five).unwrap().state, State::Current, "a newer chain is another fact");
    assert_eq!(revert(&machine, &five, 3).unwrap().state, State::Held);
    assert_eq!(open(&machine, &three).unwrap().state, State::Current, "at home with an older build");
    assert_eq!(open(&machine, &five).unwrap().state, State::Current, "then the newer one is an update like any");
    assert_eq!(revert(&machine, &five, 3).unwrap().state, State::Held);
    assert_eq!(revert(&machine, &five, 5).unwrap().state, State::Current, "the tip is a version like others");
    assert_holds(&machine, &NEW, "at the tip");
}

#[test]
fn a_version_that_there_is_not_or_a_record_without_a_way_changes_nothing() {
    let five = chain(5);
    let machine = at(&five);
    for to in [0, 6] {
        let before = machine.stored.borrow().clone();
        assert_eq!(revert(&machine, &five, to).unwrap_err().kind(), ErrorKind::Chain);
        assert_eq!(*machine.stored.borrow(), before);
    }
    set(&machine, "conversation:b", "\"create_time\":\"", "\"create_time\":\"no time ");
    let before = machine.data();
    let error = revert(&machine, &five, 1).unwrap_err();
    assert_eq!((error.kind(), error.context().record.as_deref()), (ErrorKind::Unfit, Some("b")));
    assert_eq!(machine.data(), before);
    assert_eq!(open(&machine, &five).unwrap().state, State::Current);
}

#[test]
fn the_residues_of_records_that_are_gone_go_with_the_next_run_and_no_others() {
    let five = chain(5);
    let machine = at(&five);
    let residues = |machine: &Machine| {
        let keys = machine.own_keys().into_iter();
        keys.filter_map(|key| key.strip_prefix("exuvia:r:").map(str::to_owned)).collect::<Vec<_>>()
    };
    let before = residues(&machine);
    assert!(
        before.contains(&"conversations:b".to_owned()) && before.contains(&"conversations:a".to_owned()),
        "{before:?}"
    );
    machine.stored.borrow_mut().remove("conversation:b");
    revert(&machine, &five, 4).unwrap();
    let after = residues(&machine);
    assert!(!after.contains(&"conversations:b".to_owned()), "{after:?}");
    assert!(
        before.iter().filter(|key| *key != "conversations:b").all(|key| after.contains(key)),
        "{before:?} {after:?}"
    );
    retry(&machine, &five);
    machine.stored.borrow_mut().insert("conversation:b".into(), NEW[2].1.into());
    revert(&machine, &five, 1).unwrap();
    let expected: Vec<_> = machine.data().into_iter().collect();
    let conversations = &expected.iter().find(|(key, _)| key == "conversations").unwrap().1;
    assert!(conversations.find("\"id\":\"a\"") < conversations.find("\"id\":\"b\""), "a newcomer: {conversations}");
    let (conversations, one) = (conversations.clone(), chain(1));
    machine.stored.borrow_mut().insert("conversations".into(), conversations.replace("\"id\":\"a\"", "\"id\":\"d\""));
    import(&machine, &one, &export(&machine, &one), Merge::Keep).unwrap();
    assert!(!residues(&machine).contains(&"conversations:a".to_owned()), "of an array too: {:?}", residues(&machine));
}
