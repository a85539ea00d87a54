//! Records read and written in the tip's form while the store holds another.

use super::*;

/// What no build can move: the time of one conversation is none.
const UNFIT: &str = r#"[{"id":"b","title":"B","create_time":1.5,"update_time":2,"messages":[{"sender":"human","text":"hi","time":null}]},{"id":"a","title":"","create_time":1e300,"update_time":0,"messages":[]}]"#;

fn refused() -> Rc<Machine> {
    let mut data = OLD;
    data[1].1 = UNFIT;
    let machine = Machine::holding(&data);
    assert_eq!(open(&machine, &chain(5)).unwrap().state, State::Refused);
    machine
}

fn get(machine: &Rc<Machine>, collection: &str, key: &str) -> Result<Option<String>> {
    block_on(records(machine, &chain(5)).get(collection, key))
}

fn list(machine: &Rc<Machine>, collection: &str) -> Vec<(String, String)> {
    block_on(records(machine, &chain(5)).list(collection)).unwrap()
}

fn put(machine: &Rc<Machine>, collection: &str, key: &str, record: Option<&str>) -> Result<()> {
    block_on(records(machine, &chain(5)).write_record(collection, key, record))
}

/// The expected record of the tip, by its storage key.
fn new(key: &str) -> Value<'static> {
    let (_, text) = NEW.iter().find(|(name, _)| *name == key).unwrap();
    Value::parse(text).unwrap()
}

#[test]
fn what_a_refused_run_left_is_read_in_the_form_of_the_tip() {
    let machine = refused();
    let found = get(&machine, "user_preferences", "user_preferences").unwrap().unwrap();
    assert_eq!(Value::parse(&found).unwrap(), new("user_preferences"));
    let found = get(&machine, "conversations", "b").unwrap().unwrap();
    assert_eq!(Value::parse(&found).unwrap(), new("conversation:b"));
    assert_eq!(get(&machine, "conversations", "nobody").unwrap(), None);
    let keys: Vec<_> = list(&machine, "distillations").into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["d", "e"]);
}

#[test]
fn one_record_that_cannot_move_is_named_and_does_not_hide_the_others() {
    let machine = refused();
    let error = get(&machine, "conversations", "a").unwrap_err();
    assert_eq!((error.kind(), error.context().record.as_deref()), (ErrorKind::Unfit, Some("a")));
    assert_eq!(list(&machine, "conversations").len(), 1);
}

#[test]
fn the_same_is_read_at_every_version_and_at_every_operation_of_a_run() {
    let chain = chain(5);
    let whole = Machine::holding(&OLD);
    open(&whole, &chain).unwrap();
    for death in 0..whole.operations.get() {
        let machine = Machine::holding(&OLD);
        machine.fuel.set(Some(death));
        assert!(open(&machine, &chain).is_err());
        machine.fuel.set(None);
        for (collection, keys) in [("conversations", vec!["a", "b", "c"]), ("distillations", vec!["d", "e"])] {
            let mut found = list(&machine, collection);
            found.sort();
            assert_eq!(found.iter().map(|(key, _)| &**key).collect::<Vec<_>>(), keys, "after a death at {death}");
            for (key, text) in found {
                let stored = format!("{}:{key}", collection.trim_end_matches('s'));
                assert_eq!(Value::parse(&text).unwrap(), new(&stored), "{key} after a death at {death}");
            }
        }
    }
}

#[test]
fn what_is_written_meanwhile_is_there_when_the_data_has_moved() {
    let machine = refused();
    let renamed = new("conversation:b").to_json().replace("\"B\"", "\"later\"");
    put(&machine, "conversations", "b", Some(&renamed)).unwrap();
    assert_eq!(
        get(&machine, "conversations", "b").unwrap().as_deref().map(Value::parse).unwrap().unwrap(),
        Value::parse(&renamed).unwrap()
    );
    put(&machine, "conversations", "a", None).unwrap();
    put(&machine, "distillations", "f", Some(&new("distillation:d").to_json())).unwrap();
    let status = ask(&machine, &chain(5), Request::Migrate { retry: true }).unwrap();
    assert_eq!((status.state, status.version.0), (State::Current, 5));
    let data = machine.data();
    assert_eq!(Value::parse(&data["conversation:b"]).unwrap(), Value::parse(&renamed).unwrap());
    assert_eq!(Value::parse(&data["distillation:f"]).unwrap(), new("distillation:d"));
    assert!(!data.contains_key("conversation:a"), "what was removed stays removed");
}

#[test]
fn what_the_stored_version_cannot_hold_is_refused_and_nothing_written() {
    let machine = refused();
    let before = machine.stored.borrow().clone();
    let short = new("conversation:b").to_json().replace("\"title\":\"B\",", "");
    assert_eq!(put(&machine, "conversations", "b", Some(&short)).unwrap_err().kind(), ErrorKind::Unfit);
    assert_eq!(
        put(&machine, "conversations", "other", Some(&new("conversation:b").to_json())).unwrap_err().kind(),
        ErrorKind::Unfit
    );
    assert_eq!(*machine.stored.borrow(), before);
}

#[test]
fn nothing_is_written_while_a_run_is_in_the_way() {
    let chain = chain(5);
    let whole = Machine::holding(&OLD);
    open(&whole, &chain).unwrap();
    let machine = Machine::holding(&OLD);
    machine.fuel.set(Some(whole.operations.get() / 2));
    assert!(open(&machine, &chain).is_err());
    machine.fuel.set(None);
    let error = put(&machine, "distillations", "d", None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
}
