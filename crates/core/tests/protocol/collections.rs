//! Chains that do something to whole collections, there and back, with a death at every operation.

use super::routes::die_at_every_operation;
use super::*;

const BASELINE: &str = r#"{"exuvia":1,"id":"baseline","collections":{
    "notes":{"layout":{"prefix":"note:"},"schema":{"type":"object","required":["text"],"properties":{"text":{"type":"string"}}}},
    "prefs":{"layout":{"key":"prefs","as":"record"},"schema":{"type":"object","properties":{"theme":{"type":"string"}}}},
    "tags":{"layout":{"key":"tags","as":"array","id":"/id"},"schema":{"type":"object","required":["id"],"properties":{"id":{"type":"string"},"name":{"type":"string"}}}},
    "marks":{"layout":{"key":"marks","as":"array","id":"/id"}},
    "drafts":{"layout":{"prefix":"draft:"},"schema":{"type":"object"}},
    "tokens":{"layout":{"key":"tokens","as":"map"}}}}"#;

const RENAMED: &str = r#"{"exuvia":1,"id":"renamed","parents":["baseline"],
    "change":{"notes":[{"rename":"/text","to":"/body"}],"prefs":[{"remove":"/theme"}],"tags":[{"remove":"/name"}]},
    "rehome":[{"rename":"notes","to":"pages"},{"rename":"prefs","to":"settings"},{"rename":"tags","to":"labels"}]}"#;

const DROPPED: &str = r#"{"exuvia":1,"id":"dropped","parents":["renamed"],
    "change":{"drafts":[{"add":"/done","value":false}]},
    "rehome":[{"drop":"marks"},{"drop":"drafts"}]}"#;

const FORGOTTEN: &str =
    r#"{"exuvia":1,"id":"forgotten","parents":["dropped"],"rehome":[{"drop":"tokens","forget":true}]}"#;

const OLD_STORE: [(&str, &str); 8] = [
    ("note:__proto__", r#"{"text":"a","x":1}"#),
    ("note:b:c", r#"{"text":"b"}"#),
    ("prefs", r#"{"theme":"dark","text":"kept"}"#),
    ("tags", r#"[{"id":"z","name":"Z"},{"id":"a"},{"id":"m","name":"M"}]"#),
    ("marks", r#"[{"id":"q","at":[1,{"$set":null}]},{"id":"b"},{"id":"c"}]"#),
    ("draft:1", r#"{"text":"unfinished"}"#),
    ("tokens", r#"{"secret":{"token":"hunter2"}}"#),
    ("somebody_elses", "[1]"),
];

const NEW_STORE: [(&str, &str); 5] = [
    ("note:__proto__", r#"{"body":"a","x":1}"#),
    ("note:b:c", r#"{"body":"b"}"#),
    ("prefs", r#"{"text":"kept"}"#),
    ("tags", r#"[{"id":"z"},{"id":"a"},{"id":"m"}]"#),
    ("somebody_elses", "[1]"),
];

pub fn arranged(texts: &[&str]) -> Chain {
    let migrations = texts.iter().map(|text| Migration::parse(text).unwrap()).collect();
    Chain::arrange(migrations, &Lock::default()).unwrap()
}

#[test]
fn collections_are_renamed_and_dropped_and_come_back_wherever_the_process_dies() {
    let (one, three) = (arranged(&[BASELINE]), arranged(&[BASELINE, RENAMED, DROPPED]));
    let mut new = NEW_STORE.to_vec();
    new.push(OLD_STORE[6]);
    let at = |chain: &Chain| {
        let machine = Machine::holding(&OLD_STORE);
        open(&machine, &one).unwrap();
        open(&machine, chain).unwrap();
        machine.operations.set(0);
        machine
    };
    die_at_every_operation(|| at(&one), &three, &[&three], &new);
    die_at_every_operation(|| at(&three), &one, &[&one], &OLD_STORE);
    let machine = at(&three);
    open(&machine, &one).unwrap();
    let own = machine.own_keys();
    assert!(!own.iter().any(|key| key.starts_with("exuvia:a:") || key.starts_with("exuvia:r:pages")), "{own:?}");
}

#[test]
fn what_is_forgotten_is_gone_and_everything_else_comes_back() {
    let (one, four) = (arranged(&[BASELINE]), arranged(&[BASELINE, RENAMED, DROPPED, FORGOTTEN]));
    let machine = Machine::holding(&OLD_STORE);
    open(&machine, &one).unwrap();
    assert_eq!(open(&machine, &four).unwrap().state, State::Current);
    assert_holds(&machine, &NEW_STORE, "after the run");
    assert!(!machine.stored.borrow().values().any(|text| text.contains("hunter2")), "the secret is gone");
    open(&machine, &one).unwrap();
    let mut old = OLD_STORE.to_vec();
    old[6].1 = "{}";
    assert_holds(&machine, &old, "after the way back");
}

#[test]
fn what_was_set_aside_outlives_an_import_in_place_of_everything() {
    let (one, three) = (arranged(&[BASELINE]), arranged(&[BASELINE, RENAMED, DROPPED]));
    let machine = Machine::holding(&OLD_STORE);
    open(&machine, &one).unwrap();
    let old_file = export(&machine, &one);
    open(&machine, &three).unwrap();
    let file = export(&machine, &three);
    import(&machine, &three, &file, Merge::Replace).unwrap();
    open(&machine, &one).unwrap();
    assert_holds(&machine, &OLD_STORE, "after an import and the way back");

    let other = Machine::holding(&[]);
    open(&other, &three).unwrap();
    import(&other, &three, &old_file, Merge::Replace).unwrap();
    open(&other, &one).unwrap();
    let imported: Vec<_> = OLD_STORE[..7].to_vec();
    assert_holds(&other, &imported, "after the import of an old file and the way back");
}

pub const TALKS: &str = r#"{"exuvia":1,"id":"talks","collections":{
    "talks":{"layout":{"prefix":"talk:"},"schema":{"type":"object","required":["title","messages"],"properties":{"title":{"type":"string"},
        "messages":{"type":"array","items":{"type":"object","required":["id","text"],"properties":{"id":{"type":"string"},"text":{"type":"string"},
            "files":{"type":"array","items":{"type":"object","required":["name"],"properties":{"name":{"type":"string"}}}}}}}}}},
    "boards":{"layout":{"key":"boards","as":"array","id":"/id"},"schema":{"type":"object","required":["id"],"properties":{"id":{"type":"string"},
        "cards":{"type":["array","null"],"items":{"type":"object","properties":{"title":{"type":"string"}}}}}}}}}"#;

pub const APART: &str = r#"{"exuvia":1,"id":"apart","parents":["talks"],
    "change":{"talks":[{"rename":"/title","to":"/name"}]},
    "rehome":[{"extract":"/messages","of":"talks","to":"messages","by":"/id","parent":"/talk","layout":{"prefix":"message:"}},
        {"extract":"/cards","of":"boards","to":"cards","parent":"/board","order":"/place","layout":{"prefix":"card:"}}]}"#;

pub const FURTHER: &str = r#"{"exuvia":1,"id":"further","parents":["apart"],
    "change":{"messages":[{"rename":"/text","to":"/body"},{"rename":"/talk","to":"/in"}],"cards":[{"remove":"/title"}]},
    "rehome":[{"rename":"talks","to":"chats"},{"extract":"/files","of":"messages","to":"files","parent":"/message","layout":{"prefix":"file:"}}]}"#;

pub const WHOLE: [(&str, &str); 4] = [
    (
        "talk:1",
        r#"{"title":"A","messages":[{"id":"z","text":"hi","talk":"unknown","x":1},{"id":"a","text":"","files":[{"name":"f"},{"name":"f"}]}]}"#,
    ),
    ("talk:2/x", r#"{"title":"B","messages":[],"y":null}"#),
    (
        "boards",
        r#"[{"id":"q","cards":[{"title":"two"},{"title":"one","place":"unknown"},{"title":"two"}]},{"id":"b","cards":null},{"id":"c"}]"#,
    ),
    ("somebody_elses", "[1]"),
];

const PARTS: [(&str, &str); 11] = [
    ("talk:1", r#"{"name":"A"}"#),
    ("talk:2/x", r#"{"name":"B","y":null}"#),
    ("message:z", r#"{"id":"z","body":"hi","x":1,"in":"1"}"#),
    ("message:a", r#"{"id":"a","body":"","in":"1"}"#),
    ("file:a/files/0", r#"{"name":"f","message":"a"}"#),
    ("file:a/files/1", r#"{"name":"f","message":"a"}"#),
    ("boards", r#"[{"id":"q"},{"id":"b"},{"id":"c"}]"#),
    ("card:q/cards/0", r#"{"board":"q","place":0}"#),
    ("card:q/cards/1", r#"{"board":"q","place":1}"#),
    ("card:q/cards/2", r#"{"board":"q","place":2}"#),
    ("somebody_elses", "[1]"),
];

fn talks(chain: &Chain) -> Rc<Machine> {
    let machine = Machine::holding(&WHOLE);
    open(&machine, &arranged(&[TALKS])).unwrap();
    open(&machine, chain).unwrap();
    machine.operations.set(0);
    machine
}

#[test]
fn children_leave_their_parents_wherever_the_process_dies() {
    let (one, three) = (arranged(&[TALKS]), arranged(&[TALKS, APART, FURTHER]));
    die_at_every_operation(|| talks(&one), &three, &[&three], &PARTS);
}

#[test]
fn children_come_back_to_their_parents_wherever_the_process_dies() {
    let (one, three) = (arranged(&[TALKS]), arranged(&[TALKS, APART, FURTHER]));
    die_at_every_operation(|| talks(&three), &one, &[&one], &WHOLE);
    let machine = talks(&three);
    open(&machine, &one).unwrap();
    assert_eq!(machine.kept(), block_on(records(&machine, &one).snapshots()).unwrap().len(), "only snapshots are kept");
}

#[test]
fn what_was_done_to_children_above_is_found_below_and_above_again() {
    let (one, three) = (arranged(&[TALKS]), arranged(&[TALKS, APART, FURTHER]));
    let machine = talks(&three);
    {
        let mut stored = machine.stored.borrow_mut();
        stored.remove("message:z");
        stored.insert("message:new".into(), r#"{"id":"new","body":"later","in":"1"}"#.into());
        stored.insert("message:lost".into(), r#"{"id":"lost","body":"alone","in":"gone"}"#.into());
        stored.insert("file:x".into(), r#"{"name":"g","message":"new"}"#.into());
        let card = stored["card:q/cards/2"].replace("\"place\":2", "\"place\":-1");
        stored.insert("card:q/cards/2".into(), card);
    }
    let above = machine.data();
    let status = open(&machine, &one).unwrap();
    let notes = status.last_run.unwrap().notes;
    assert_eq!(notes, ["1 records of messages have no place in the data now, and were set aside"]);
    let mut below = WHOLE.to_vec();
    below[0].1 = r#"{"title":"A","messages":[{"id":"a","text":"","files":[{"name":"f"},{"name":"f"}]},{"id":"new","text":"later","files":[{"name":"g"}]}]}"#;
    below[2].1 = r#"[{"id":"q","cards":[{"title":"two"},{"title":"two"},{"title":"one","place":"unknown"}]},{"id":"b","cards":null},{"id":"c"}]"#;
    assert_holds(&machine, &below, "below");
    assert!(machine.own_keys().contains(&"exuvia:a:messages:lost".to_owned()));

    open(&machine, &three).unwrap();
    let above: Vec<_> = above.iter().map(|(key, text)| (&**key, &**text)).collect();
    assert_holds(&machine, &above, "above again");
    assert!(!machine.own_keys().iter().any(|key| key.starts_with("exuvia:a:")), "nothing is set aside any more");
}

#[test]
fn two_children_of_one_key_are_found_before_anything_is_written() {
    let mut twins = WHOLE;
    twins[1].1 = r#"{"title":"B","messages":[{"id":"z","text":"the same key"}]}"#;
    let machine = Machine::holding(&twins);
    open(&machine, &arranged(&[TALKS])).unwrap();
    let status = open(&machine, &arranged(&[TALKS, APART])).unwrap();
    let problem = status.problem.unwrap();
    assert_eq!((&*problem.kind, problem.collection.as_deref()), ("collision", Some("messages")));
    assert_holds(&machine, &twins, "after the refusal");
}

#[test]
fn an_old_file_is_taken_apart_as_it_comes_in_and_a_newer_one_is_refused_by_name() {
    let (one, three) = (arranged(&[TALKS]), arranged(&[TALKS, APART, FURTHER]));
    let old = export(&talks(&one), &one);
    let machine = Machine::holding(&[]);
    open(&machine, &three).unwrap();
    let preview = block_on(records(&machine, &three).preview(Text::new(&old), Merge::Replace)).unwrap();
    let added: Vec<_> = preview.collections.iter().map(|(name, counts)| (&**name, counts.add)).collect();
    assert_eq!(added, [("boards", 3), ("cards", 3), ("chats", 2), ("files", 2), ("messages", 2)]);
    import(&machine, &three, &old, Merge::Replace).unwrap();
    assert_holds(&machine, &PARTS[..10], "after the import");

    let newer = export(&machine, &three);
    let error = import(&talks(&one), &one, &newer, Merge::Replace).unwrap_err();
    assert!(error.message().contains("children of their own"), "{error}");
}

#[test]
fn what_is_dropped_or_forgotten_is_reported() {
    let machine = Machine::holding(&OLD_STORE);
    open(&machine, &arranged(&[BASELINE])).unwrap();
    let status = open(&machine, &arranged(&[BASELINE, RENAMED, DROPPED, FORGOTTEN])).unwrap();
    let expected = [
        "1 records of drafts have no place in the data now, and were set aside",
        "3 records of marks have no place in the data now, and were set aside",
        "1 records of tokens were forgotten",
    ];
    assert_eq!(status.last_run.unwrap().notes, expected);
}

#[test]
fn data_of_a_branch_that_took_records_apart_finds_its_way_to_the_merged_line() {
    const OTHER: &str =
        r#"{"exuvia":1,"id":"another","parents":["talks"],"change":{"talks":[{"add":"/pinned","value":false}]}}"#;
    const MERGED: &str = r#"{"exuvia":1,"id":"merged","parents":["apart","another"]}"#;
    let branch = arranged(&[TALKS, APART]);
    let merged = arranged(&[TALKS, OTHER, APART, MERGED]);
    let expected: Vec<_> = PARTS
        .iter()
        .filter(|(key, _)| !key.starts_with("file:"))
        .map(|(key, text)| match *key {
            "talk:1" => (*key, r#"{"name":"A","pinned":false}"#),
            "talk:2/x" => (*key, r#"{"name":"B","pinned":false,"y":null}"#),
            "message:z" => (*key, r#"{"id":"z","text":"hi","x":1,"talk":"1"}"#),
            "message:a" => (*key, r#"{"id":"a","text":"","files":[{"name":"f"},{"name":"f"}],"talk":"1"}"#),
            "card:q/cards/1" => (*key, r#"{"board":"q","place":1,"title":"one"}"#),
            key if key.starts_with("card:q/cards/0") => (key, r#"{"board":"q","place":0,"title":"two"}"#),
            key if key.starts_with("card:") => (key, r#"{"board":"q","place":2,"title":"two"}"#),
            key => (key, *text),
        })
        .collect();
    die_at_every_operation(|| talks(&branch), &merged, &[&merged], &expected);
}

#[test]
fn records_go_into_others_and_come_out_again_wherever_the_process_dies() {
    const INLINED: &str = r#"{"exuvia":1,"id":"inlined","parents":["apart"],"rehome":[
        {"inline":"messages","into":"talks","at":"/said","by":"/id","parent":"/talk"},
        {"inline":"cards","into":"boards","at":"/pile","parent":"/board","order":"/place"}]}"#;
    let (two, three) = (arranged(&[TALKS, APART]), arranged(&[TALKS, APART, INLINED]));
    let at = |chain: &Chain| {
        let machine = talks(&two);
        let lost = r#"{"id":"lost","text":"alone","talk":"gone"}"#;
        machine.stored.borrow_mut().insert("message:lost".into(), lost.into());
        open(&machine, chain).unwrap();
        machine.operations.set(0);
        machine
    };
    let apart = at(&two).data();
    let apart: Vec<_> = apart.iter().map(|(key, text)| (&**key, &**text)).collect();
    let inside = [
        (
            "talk:1",
            r#"{"name":"A","said":[{"id":"a","text":"","files":[{"name":"f"},{"name":"f"}]},{"id":"z","text":"hi","x":1}]}"#,
        ),
        ("talk:2/x", r#"{"name":"B","y":null,"said":[]}"#),
        (
            "boards",
            r#"[{"id":"q","pile":[{"title":"two"},{"title":"one"},{"title":"two"}]},{"id":"b","pile":[]},{"id":"c","pile":[]}]"#,
        ),
        ("somebody_elses", "[1]"),
    ];
    die_at_every_operation(|| at(&two), &three, &[&three], &inside);
    die_at_every_operation(|| at(&three), &two, &[&two], &apart);
}
