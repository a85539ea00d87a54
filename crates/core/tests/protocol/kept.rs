//! What is kept beside the records of what steps took away, and what is not.

use super::*;

const SECRET: &str = "sk-geheim";

fn chain_of(schema: &str, steps: &str, length: usize) -> Chain {
    let start = format!(
        r#"{{"exuvia":1,"id":"start","collections":{{"things":{{"layout":{{"prefix":"thing:"}},"schema":{schema}}}}}}}"#
    );
    let next = format!(r#"{{"exuvia":1,"id":"next","parents":["start"],"change":{{"things":{steps}}}}}"#);
    let migrations = [start, next].iter().take(length).map(|text| Migration::parse(text).unwrap()).collect();
    Chain::arrange(migrations, &Lock::default()).unwrap()
}

/// Up, and with the build before down again.
fn there_and_back(schema: &str, steps: &str, data: &[(&str, &str)]) -> (Rc<Machine>, String) {
    let (one, two) = (chain_of(schema, steps, 1), chain_of(schema, steps, 2));
    let machine = Machine::holding(data);
    assert_eq!(open(&machine, &one).unwrap().state, State::Current);
    let status = open(&machine, &two).unwrap();
    assert_eq!((status.state, status.version.0), (State::Current, 2), "{:?}", status.problem);
    let stored = format!("{:?}", machine.stored.borrow());
    let status = open(&machine, &one).unwrap();
    assert_eq!((status.state, status.version.0), (State::Current, 1), "{:?}", status.problem);
    (machine, stored)
}

#[test]
fn a_secret_is_forgotten_and_all_the_rest_comes_back() {
    let schema = r#"{"type":"object","required":["key","title"],"properties":{"key":{"type":"string"},"title":{"type":"string"},
        "list":{"type":"array","items":{"type":"object","properties":{"id":{"type":"string"},"token":{"type":"string"},"mode":{"type":"string"}}}}}}"#;
    let steps = r#"[{"remove":"/key","back":"","forget":true},{"truncate":"/title","to":3},
        {"each":"/list","by":"/id","do":[{"remove":"/token","forget":true},{"remove":"/mode"}]}]"#;
    let record = format!(
        r#"{{"key":"{SECRET}","title":"a long title","list":[{{"id":"a","token":"{SECRET}","mode":"m"}},{{"id":"b","token":"{SECRET}"}}]}}"#
    );
    let (machine, stored) = there_and_back(schema, steps, &[("thing:1", &record)]);
    assert!(!stored.contains(SECRET), "{stored}");
    let back = r#"{"key":"","title":"a long title","list":[{"id":"a","mode":"m"},{"id":"b"}]}"#;
    assert_holds(&machine, &[("thing:1", back)], "after the way down");
}

#[test]
fn what_lay_as_deep_as_may_be_comes_back_whole() {
    let schema = r#"{"type":"object","properties":{"a":{"type":"object","additionalProperties":{"type":"array"}},
        "list":{"type":"array","items":{"type":"object","properties":{"deep":{}}}}}}"#;
    let steps = r#"[{"pick":"/a","keep":[]},{"each":"/list","do":[{"remove":"/deep"}]}]"#;
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let record = format!(r#"{{"a":{{"b":{}}},"list":[{{"deep":{}}}]}}"#, nested(97), nested(96));
    let (machine, stored) = there_and_back(schema, steps, &[("thing:1", &record)]);
    // Deeper, a browser would store null.
    assert!(stored.contains("packed"), "{stored}");
    assert_holds(&machine, &[("thing:1", &record)], "after the way down");
}
