//! Chains that must be refused when they are loaded, each with a message that names the place; and lines that must be
//! told apart.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use exuvia_core::chain::{Chain, Lock, Migration, Standing, Version};
use exuvia_core::document::Value;
use exuvia_core::{Error, ErrorKind};

const BASELINE: &str = r#"{"exuvia":1,"id":"baseline","collections":{"notes":{"layout":{"prefix":"note:"},"schema":
    {"type":"object","required":["title","mode"],"properties":{"title":{"type":"string"},"mode":{"enum":["a","b"]},
    "opt":{"type":"object","required":["x"],"properties":{"x":{"type":"number"}}},"tags":{"type":"array","items":{"type":"string"}}}}}}}"#;

fn arrange(files: &[&str]) -> Result<Chain, Error> {
    let migrations = files.iter().map(|text| Migration::parse(text)).collect::<Result<_, _>>()?;
    Chain::arrange(migrations, &Lock::default())
}

/// A second migration with one member more.
fn second(member: &str) -> String {
    format!(r#"{{"exuvia":1,"id":"second","parents":["baseline"],{member}}}"#)
}

fn steps(steps: &str) -> String {
    second(&format!(r#""change":{{"notes":[{steps}]}}"#))
}

#[test]
fn a_chain_that_does_not_fit_is_refused_with_its_place() {
    let cases = [
        (
            steps(r#"{"rename":"/titel","to":"/name"}"#),
            "1 (rename), path /titel, expected a member that the schema declares",
        ),
        (steps(r#"{"rename":"/title","to":"/mode"}"#), "path /mode, expected a free place"),
        (steps(r#"{"rename":"/title","to":"/opt/title"}"#), "use \"move\""),
        (steps(r#"{"move":"/title","to":"/title/inner"}"#), "one inside the other"),
        (steps(r#"{"move":"/opt/x","to":"/x"}"#), "may be absent"),
        (steps(r#"{"move":"/title","to":"/opt/title"}"#), "may be absent"),
        (
            steps(r#"{"convert":"/title","from":"epoch-s","to":"iso"}"#),
            "path /title, expected a place of type null or number, found one whose schema says string",
        ),
        (steps(r#"{"convert":"/title","from":"epoch-s","to":"epoch-s"}"#), "to differ"),
        (steps(r#"{"split":"/mode","by":","}"#), "path /mode"),
        (steps(r#"{"map":"/mode","table":{"a":"z"}}"#), "found one missing; add it, or an \"else\""),
        (steps(r#"{"map":"/mode","table":{"a":{"n":1},"b":{"n":2}}}"#), "add \"else\" to \"back\""),
        (steps(r#"{"map":"/mode","table":{"c":"z"},"else":"keep"}"#), "keys of the table"),
        (steps(r#"{"remove":"/title"}"#), "expected \"back\""),
        (steps(r#"{"remove":"/title","back":5}"#), "expected string, found number"),
        (steps(r#"{"add":"/title","value":"x"}"#), "found a member that the schema requires"),
        (steps(r#"{"each":"/title","do":[]}"#), "expected a place of type null or array or object"),
        (steps(r#"{"each":"/tags","do":[{"rename":"/a","to":"/b"}]}"#), "1 (each) > 1 (rename)"),
        (steps(r#"{"frobnicate":"/a"}"#), "expected one of the verbs add, set, remove"),
        (steps(r#"{"rename":"/title","to":"/t","move":"/x"}"#), "found both"),
        (
            steps(r#"{"rename":"/title","to":"/t","if":1}"#),
            "expected in \"rename\" no members but rename, to; found \"if\"",
        ),
        (steps(r#"{"rename":"title","to":"/t"}"#), "a pointer starts with"),
        (second(r#""change":{"strangers":[]}"#), "expected one of the collections notes"),
        (second(r#""changes":{}"#), "found \"changes\""),
        (
            second(r#""layout":{"notes":{"from":{"prefix":"n:"},"to":{"prefix":"m:"}}}"#),
            "expected \"from\" to be where the records are",
        ),
        (second(r#""layout":{"notes":{"from":{"prefix":"note:"},"to":{"prefix":"note:v2:"}}}"#), "meets \"note:\""),
        (
            second(r#""layout":{"notes":{"from":{"prefix":"note:"},"to":{"key":"exuvia-notes","as":"map"}}}"#),
            "does not start with \"exuvia\"",
        ),
        (second(r#""collections":{"more":{"layout":{"key":"note:7","as":"record"}}}"#), "meets \"note:\" of \"notes\""),
        (
            second(r#""collections":{"more":{"layout":{"prefix":"m:"},"schema":{"pattern":"a"}}}"#),
            "expected a keyword that Exuvia checks, found \"pattern\"",
        ),
    ];
    for (file, expected) in cases {
        let error = arrange(&[BASELINE, &file]).expect_err(expected);
        assert_eq!(error.kind(), ErrorKind::Chain, "{error}");
        assert!(error.to_string().contains(expected), "{expected:?} is not in: {error}");
        assert!(error.to_string().contains("migration second"), "{error}");
    }
}

#[test]
fn the_order_of_a_chain_is_by_parents_then_by_id() {
    let file = |id: &str, parents: &str| format!(r#"{{"exuvia":1,"id":"{id}","parents":[{parents}]}}"#);
    let files =
        [file("z", r#""baseline""#), file("a", r#""baseline""#), BASELINE.to_owned(), file("merge", r#""z","a""#)];
    let chain = arrange(&files.each_ref().map(String::as_str)).unwrap();
    assert_eq!(
        chain.stages().map(|(_, stage)| stage.id().to_owned()).collect::<Vec<_>>(),
        ["baseline", "a", "z", "merge"]
    );
    let circle = [BASELINE.to_owned(), file("a", r#""b""#), file("b", r#""a""#)];
    assert!(
        arrange(&circle.each_ref().map(String::as_str)).unwrap_err().to_string().contains("found a circle among a, b")
    );
    let orphan = [BASELINE.to_owned(), file("a", r#""nobody""#)];
    assert!(arrange(&orphan.each_ref().map(String::as_str)).unwrap_err().to_string().contains("\"nobody\""));
    let twins = [BASELINE.to_owned(), file("a", r#""baseline""#), file("a", r#""baseline""#)];
    assert!(
        arrange(&twins.each_ref().map(String::as_str))
            .unwrap_err()
            .to_string()
            .contains("found two migrations with this one")
    );
}

#[test]
fn a_locked_migration_must_not_change_but_for_its_notes() {
    let step = |to: &str| steps(&format!(r#"{{"rename":"/title","to":"{to}"}}"#));
    let chain = arrange(&[BASELINE, &step("/name")]).unwrap();
    let load = |second: &str, lock: &Lock| {
        Chain::load(vec![Migration::parse(BASELINE).unwrap(), Migration::parse(second).unwrap()], lock)
    };
    assert!(load(&step("/name").replace("\"change\"", "\"notes\":\"why\",\"change\""), &chain.lock()).is_ok());
    let error = load(&step("/label"), &chain.lock()).unwrap_err();
    assert_eq!((error.kind(), error.context().migration.as_deref()), (ErrorKind::Edited, Some("second")));
    let behind = arrange(&[BASELINE]).unwrap().lock();
    assert!(load(&step("/name"), &behind).unwrap_err().to_string().contains("run `exuvia lock`"));
    let pruned = Chain::load(vec![Migration::parse(BASELINE).unwrap()], &chain.lock()).unwrap_err();
    assert!(pruned.to_string().contains("chains are never pruned"), "{pruned}");
}

#[test]
fn every_standing_of_data_has_a_name() {
    let step = |to: &str| steps(&format!(r#"{{"rename":"/title","to":"{to}"}}"#));
    let other = r#"{"exuvia":1,"id":"other","parents":["baseline"]}"#;
    let (one, two) = (arrange(&[BASELINE]).unwrap(), arrange(&[BASELINE, &step("/name")]).unwrap());
    let (edited, fork) = (arrange(&[BASELINE, &step("/label")]).unwrap(), arrange(&[BASELINE, other]).unwrap());
    let migration = || "second".to_owned();
    assert_eq!(two.standing(&one.lock().line), Standing::At(Version(1)));
    assert_eq!(two.standing(&two.lock().line), Standing::At(Version(2)));
    assert_eq!(one.standing(&two.lock().line), Standing::Newer { migration: migration() });
    assert_eq!(edited.standing(&two.lock().line), Standing::Edited { migration: migration() });
    assert_eq!(fork.standing(&two.lock().line), Standing::Fork { common: Version(1), migration: migration() });
}

#[test]
fn a_chain_reads_what_it_writes() {
    let chain = arrange(&[BASELINE, &steps(r#"{"rename":"/title","to":"/name"}"#)]).unwrap();
    let again = Chain::read(chain.text()).unwrap();
    assert_eq!(again.lock(), chain.lock());
}

#[test]
fn no_message_holds_a_value_of_the_record() {
    let chain =
        arrange(&[BASELINE, &steps(r#"{"map":"/mode","table":{"a":"z"},"else":"keep","back":{"else":"a"}}"#)]).unwrap();
    let schema = &chain.collection("notes", Version(1)).unwrap().schema;
    for text in [r#"{"title":5,"mode":"a"}"#, r#"{"title":"t","mode":"geheim"}"#, r#"{"mode":"a"}"#, r#""geheim""#] {
        let error = schema.validate(&Value::parse(text).unwrap()).unwrap_err();
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
}

#[test]
fn a_migration_as_deep_as_may_be_is_read_back_in_its_chain() {
    let notes = format!(r#""exuvia":1,"notes":{}{}"#, "[".repeat(98), "]".repeat(98));
    let chain = arrange(&[&BASELINE.replacen(r#""exuvia":1"#, &notes, 1)]).unwrap();
    let again = Chain::read(chain.text()).unwrap();
    assert_eq!(again.lock(), chain.lock());
}

fn rehome(item: &str) -> String {
    second(&format!(r#""rehome":[{item}]"#))
}

#[test]
fn what_cannot_happen_to_a_collection_is_refused_with_its_place() {
    let extract = |at: &str, rest: &str| {
        rehome(&format!(
            r#"{{"extract":"{at}","of":"notes","to":"tags","parent":"/note","layout":{{"prefix":"tag:"}}{rest}}}"#
        ))
    };
    let cases = [
        (rehome(r#"{"rename":"note","to":"pages"}"#), "rehome 1 (rename), expected one of the collections notes"),
        (rehome(r#"{"rename":"notes","to":"notes"}"#), "found one that the chain has or had"),
        (rehome(r#"{"rename":"notes","to":"a:b"}"#), "letters, digits"),
        (rehome(r#"{"drop":"notes"},{"rename":"notes","to":"pages"}"#), "rehome 2 (rename)"),
        (rehome(r#"{"drop":"notes","forget":1}"#), "expected in \"forget\" true or false"),
        (rehome(r#"{"drop":"notes","back":1}"#), "found \"back\""),
        (rehome(r#"{"lose":"notes"}"#), "expected one of the verbs rename, drop, extract, inline, found \"lose\""),
        (rehome(r#"{"drop":"notes","rename":"notes"}"#), "expected one verb, found both"),
        (second(r#""rehome":{}"#), "expected in \"rehome\" a list"),
        (extract("/tag", ""), "expected a member that the schema declares"),
        (extract("/title", ""), "expected a place of type null or array"),
        (extract("/tags", ""), "expected a place of type object, found one whose schema says string"),
    ];
    for (file, expected) in cases {
        let error = arrange(&[BASELINE, &file]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Chain, "{error}");
        assert!(error.to_string().contains(expected), "{error}\nis to contain {expected}");
    }
}

const TALKS: &str = r#"{"exuvia":1,"id":"baseline","collections":{"talks":{"layout":{"prefix":"talk:"},"schema":
    {"type":"object","required":["list"],"properties":{
    "list":{"type":"array","items":{"type":"object","required":["id"],"properties":{"id":{"type":"string"},"n":{"type":"number"},"name":{"type":"string"}}}},
    "some":{"type":"array","minItems":1,"items":{"type":"object"}},
    "box":{"type":"object","properties":{"list":{"type":"array","items":{"type":"object"}}}}}}}}}"#;

#[test]
fn children_that_could_not_come_back_are_refused_with_their_place() {
    let extract = |at: &str, rest: &str| {
        rehome(&format!(r#"{{"extract":"{at}","of":"talks","to":"parts","parent":"/talk"{rest}}}"#))
    };
    let prefix = r#","layout":{"prefix":"part:"}"#;
    let cases = [
        (extract("/some", prefix), "whose schema says more of it"),
        (extract("/box/list", prefix), "path /box, expected enclosing objects that are always there"),
        (extract("/list", &format!(r#"{prefix},"by":"/n""#)), "path /n, expected a place of type string"),
        (
            extract("/list", &format!(r#"{prefix},"by":"/name""#)),
            "path /name, expected in \"by\" a text that is in every item",
        ),
        (extract("/list", &format!(r#"{prefix},"order":"/talk""#)), "to be two fields"),
        (extract("/list", &format!(r#"{prefix},"order":"/n""#)), "path /n, expected a free place"),
        (extract("/list", &format!(r#"{prefix},"order":"/a/b""#)), "a field of the child itself"),
        (extract("/list", r#","layout":{"key":"parts","as":"map"}"#), "each has a storage key of its own"),
        (extract("/list", r#","layout":{"prefix":"talk:1"}"#), "storage keys that no version has used otherwise"),
    ];
    for (file, expected) in cases {
        let error = arrange(&[TALKS, &file]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Chain, "{error}");
        assert!(error.to_string().contains(expected), "{error}\nis to contain {expected}");
    }
    let chain = arrange(&[TALKS, &extract("/list", &format!(r#"{prefix},"by":"/id","order":"/at""#))]).unwrap();
    let schema = |name: &str| chain.collection(name, Version(2)).unwrap().schema.to_value().to_json();
    assert!(!schema("talks").contains(r#""required":["list"]"#), "{}", schema("talks"));
    for said in ["\"talk\":{\"type\":\"string\"}", "\"at\":{\"type\":\"number\"}"] {
        assert!(schema("parts").contains(said), "{}", schema("parts"));
    }
    let again = Chain::read(chain.text()).unwrap();
    assert_eq!(again.written_anew(), chain.text(), "compiled and read");
}

#[test]
fn what_could_not_go_back_to_be_children_is_refused_with_its_place() {
    let baseline = TALKS.replace(
        "\"talks\":{",
        r#""parts":{"layout":{"prefix":"part:"},"schema":{"type":"object","required":["talk","at"],"properties":{"talk":{"type":"string"},
            "at":{"type":"integer"},"few":{"enum":["a"]},"maybe":{"type":"string"}}}},"keyed":{"layout":{"key":"keyed","as":"map"},
            "schema":{"type":"object","properties":{"talk":{"type":"string"}}}},"talks":{"#,
    );
    let inline = |children: &str, at: &str, rest: &str| {
        rehome(&format!(r#"{{"inline":"{children}","into":"talks","at":"{at}"{rest}}}"#))
    };
    let cases = [
        (inline("keyed", "/parts", r#","parent":"/talk""#), "a storage key of its own"),
        (inline("parts", "/list", r#","parent":"/talk""#), "path /list, expected a free place"),
        (inline("parts", "/box/parts", r#","parent":"/talk""#), "path /box, expected enclosing objects"),
        (inline("parts", "/parts", r#","parent":"/few""#), "path /few, expected a text of any value"),
        (inline("parts", "/parts", r#","parent":"/talk","by":"/maybe""#), "path /maybe, expected in \"by\""),
        (
            inline("talks", "/parts", r#","parent":"/talk""#),
            "expected one of the collections keyed, parts, found \"talks\"",
        ),
    ];
    for (file, expected) in cases {
        let error = arrange(&[&baseline, &file]).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}\nis to contain {expected}");
    }
    let chain = arrange(&[&baseline, &inline("parts", "/parts", r#","parent":"/talk","order":"/at""#)]).unwrap();
    let talks = &chain.collection("talks", Version(2)).unwrap().schema;
    assert!(talks.accepts(&Value::parse(r#"{"list":[],"parts":[{"few":"a"}]}"#).unwrap()));
    assert!(!talks.accepts(&Value::parse(r#"{"list":[],"parts":[{"few":"b"}]}"#).unwrap()));
}

/// What an author may ship is what `Chain::read` takes, however it nests; the rest is refused when it is built.
#[test]
fn a_chain_that_is_built_can_be_read_again() {
    let (mut taken, mut refused) = (0, 0);
    for depth in [1, 12, 24, 45] {
        let schema = (0..depth)
            .fold(r#"{"type":"string"}"#.to_owned(), |items, _| format!(r#"{{"type":"array","items":{items}}}"#));
        let first = format!(
            r#"{{"exuvia":1,"id":"baseline","collections":{{"notes":{{"layout":{{"prefix":"note:"}},"schema":{{"type":"object","properties":{{"l":{schema}}}}}}}}}}}"#
        );
        let step = (0..depth).fold(r#"{"truncate":"","to":1}"#.to_owned(), |inner, index| {
            format!(r#"{{"each":"{}","do":[{inner}]}}"#, if index + 1 == depth { "/l" } else { "" })
        });
        match arrange(&[&first, &steps(&step)]) {
            Ok(chain) => {
                taken += 1;
                let again = Chain::read(chain.text()).unwrap();
                assert_eq!(again.lock(), chain.lock());
            }
            Err(error) => {
                refused += 1;
                assert!(error.to_string().contains("too large"), "{error}");
            }
        }
    }
    assert_eq!((taken, refused), (3, 1));
}

/// Each version has all collections of its own: many versions of large ones would be more than a machine can hold.
#[test]
fn a_hostile_chain_cannot_ask_for_more_than_there_is() {
    let migrations = |count: usize, members: usize| {
        let members: Vec<_> = (0..members).map(|n| format!(r#""m{n}":{{"type":"string"}}"#)).collect();
        let mut files = vec![format!(
            r#"{{"exuvia":1,"id":"m0","collections":{{"c":{{"layout":{{"prefix":"c:"}},"schema":{{"type":"object","properties":{{{}}}}}}}}}}}"#,
            members.join(",")
        )];
        files.extend((1..count).map(|n| format!(r#"{{"exuvia":1,"id":"m{n}","parents":["m{}"]}}"#, n - 1)));
        files
    };
    let arranged = |files: Vec<String>| arrange(&files.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(arranged(migrations(300, 100)).is_ok());
    let error = arranged(migrations(300, 2_000)).unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
    let long = format!("[{}]", " ".repeat(5 << 20));
    assert_eq!(Chain::read(&long).unwrap_err().kind(), ErrorKind::Chain);
}
