//! Cases that have broken a law, or could.

use exuvia_core::chain::Residues;
use exuvia_core::document::Value;

use crate::chains::{Sample, carry, schema};
use crate::documents::opened;
use crate::{Held, OLD, down, expect_fit, expect_same, up};

fn value(text: &str) -> Value<'static> {
    opened(&Value::parse(text).unwrap())
}

fn held(text: &str) -> Held {
    (value(text), Residues::default())
}

/// PutRL and soundness, of one record.
fn goes_up_and_down(sample: &Sample, record: &str) -> Held {
    let there = up(sample, &held(record)).unwrap();
    expect_fit(sample, sample.chain.tip(), &there.0, "up").unwrap();
    let back = down(sample, &there).unwrap();
    assert_eq!(back.0, value(record), "{sample}");
    expect_same(&up(sample, &back).unwrap(), &there, sample, "up, down, up").unwrap();
    there
}

/// PutLR and soundness downwards, of one record of the newest version.
fn goes_down_and_up(sample: &Sample, record: &Held) {
    let back = down(sample, record).unwrap();
    expect_fit(sample, OLD, &back.0, "down").unwrap();
    assert_eq!(up(sample, &back).unwrap().0, record.0, "{sample}");
}

/// Down-totality: whatever is written there later could not go back.
#[test]
fn a_step_that_needs_a_type_is_refused_where_the_schema_does_not_say_it() {
    let untyped = schema(r#"{"type":"object","required":["x"],"properties":{"x":true,"a":{"type":"string"}}}"#);
    for step in [
        r#"{"replace":"/x","find":"a","with":"b"}"#,
        r#"{"not":"/x"}"#,
        r#"{"truncate":"/x","to":3}"#,
        r#"{"convert":"/x","from":"epoch-s","to":"iso"}"#,
        r#"{"convert":"/x","from":"string","to":"number","else":0,"back":"0"}"#,
        r#"{"split":"/x","by":","}"#,
        r#"{"join":"/x","by":","}"#,
        r#"{"unwrap":"/x","in":"list","else":0}"#,
        r#"{"each":"/x","do":[]}"#,
        r#"{"insert_item":"/x","by":"/id","item":{"id":"a"}}"#,
        r#"{"remove_item":"/x","by":"/id","key":"a"}"#,
        r#"{"array_to_map":"/x","by":"/id","spare":"first"}"#,
        r#"{"map_to_array":"/x","by":"/id"}"#,
        r#"{"add":"/x/y","value":1}"#,
        r#"{"move":"/a","to":"/x/y"}"#,
        r#"{"rename":"/x/y","to":"/x/z"}"#,
        r#"{"remove":"/x/y"}"#,
        r#"{"partition":"/x","prefix":"y","to":"/z"}"#,
        r#"{"pick":"/x","keep":["y"]}"#,
        r#"{"flatten":"/x"}"#,
    ] {
        assert!(carry(&untyped, step).is_none(), "{step}");
    }
}

/// What its author is told to do.
#[test]
fn what_has_no_type_is_changed_where_it_has_one() {
    let untyped = r#"{"type":"object","required":["x"],"properties":{"x":true}}"#;
    let of_text =
        r#"{"where":{"type":"/x","is":"string"},"do":[{"replace":"/x","find":"a","with":"b","back":"keep"}]}"#;
    let of_member =
        r#"{"where":{"type":"/x/y","is":"string"},"do":[{"replace":"/x/y","find":"a","with":"b","back":"keep"}]}"#;
    let of_record = r#"{"where":{"type":"","is":"object"},"do":[{"add":"/x","value":1}]}"#;
    let (first, second, third) =
        (Sample::of(untyped, &[of_text]), Sample::of(untyped, &[of_member]), Sample::of("true", &[of_record]));
    for (sample, record, expected) in [
        (&first, r#"{"x":"aa"}"#, r#"{"x":"bb"}"#),
        (&first, r#"{"x":7}"#, r#"{"x":7}"#),
        (&second, r#"{"x":{"y":"aa"}}"#, r#"{"x":{"y":"bb"}}"#),
        (&second, r#"{"x":{"y":1}}"#, r#"{"x":{"y":1}}"#),
        (&second, r#"{"x":"aa"}"#, r#"{"x":"aa"}"#),
        (&third, "{}", r#"{"x":1}"#),
        (&third, r#""dark""#, r#""dark""#),
    ] {
        assert_eq!(goes_up_and_down(sample, record).0, value(expected), "{sample}");
        goes_down_and_up(sample, &held(expected));
    }
}

#[test]
fn items_that_were_not_declared_are_after_a_step_has_changed_them() {
    let lists = r#"{"type":"object","properties":{"l":{"type":"array"}}}"#;
    let sample = Sample::of(lists, &[r#"{"each":"/l","do":[{"wrap":"","in":"list","back":0}]}"#]);
    goes_up_and_down(&sample, r#"{"l":[1,"a",null]}"#);
    assert!(!sample.schema(sample.chain.tip()).accepts(&value(r#"{"l":[1]}"#)));
    // Nothing holds of both kinds of items.
    let unlike =
        schema(r#"{"type":"object","properties":{"l":{"type":["array","object"],"items":{"type":"string"}}}}"#);
    assert!(carry(&unlike, r#"{"each":"/l","do":[]}"#).is_none());
}

/// The value goes back to the second member no more, and the first is null; the second is required.
#[test]
fn members_that_became_one_have_a_way_back_whatever_is_written_there() {
    let schema = r#"{"type":"object","required":["a","b"],"properties":{"a":{"type":["boolean","null"]},"b":{"type":["boolean","null"]}}}"#;
    let sample = Sample::of(schema, &[r#"{"coalesce":["/a","/b"],"to":"/x"}"#]);
    for record in [r#"{"a":null,"b":true}"#, r#"{"a":false,"b":true}"#, r#"{"a":null,"b":null}"#] {
        let there = goes_up_and_down(&sample, record);
        for edited in [r#"{"x":null}"#, r#"{"x":true}"#, r#"{"x":false,"a":7}"#, r#"{"x":null,"b":true,"a":1}"#] {
            goes_down_and_up(&sample, &(value(edited), there.1.clone()));
        }
    }
    let schema = r#"{"type":"object","required":["a"],"properties":{"a":{"type":["array","null"]},"b":true}}"#;
    let sample = Sample::of(schema, &[r#"{"coalesce":["/a","/b"],"to":"/b"}"#]);
    let there = goes_up_and_down(&sample, r#"{"a":[1],"b":2}"#);
    goes_down_and_up(&sample, &(value("{}"), there.1));
}

/// A narrowed schema that permitted more than the whole one would let a later record through that the older version
/// does not take.
#[test]
fn a_record_has_no_wider_schema_where_a_predicate_holds() {
    let text = schema(r#"{"type":"object","required":["s"],"properties":{"s":{"type":"string","maxLength":3}}}"#);
    let step = r#"{"where":{"or":[{"equals":"/s","value":"a"},{"type":"/s","is":"string"}]},"after":{"and":[]},"do":[{"add":"/x","value":1}]}"#;
    let after = carry(&text, step).unwrap();
    assert!(!after.accepts(&value(r#"{"s":"abcd","x":1}"#)), "{}", after.to_value().to_json());
}

/// Lineage: it was there before the step, and no step took it.
#[test]
fn an_unknown_member_that_a_step_made_its_own_comes_back_whatever_the_form_of_its_record() {
    let forms = r#"{"anyOf":[{"type":"object","required":["id"],"properties":{"id":{"const":"a"}}},{"type":"object","required":["id"],"properties":{"id":{"const":"b"}}}]}"#;
    let sample = Sample::of(forms, &[r#"{"add":"/x","value":"new"}"#]);
    let there = goes_up_and_down(&sample, r#"{"id":"a","x":"old"}"#);
    let back = down(&sample, &(value(r#"{"id":"a","x":"edited"}"#), there.1)).unwrap();
    assert_eq!(back.0, value(r#"{"id":"a","x":"edited"}"#));
}

#[test]
fn nothing_goes_into_a_place_that_must_be_empty() {
    let empty = schema(r#"{"type":"object","properties":{"e":false,"n":{"type":"number"}}}"#);
    assert!(carry(&empty, r#"{"move":"/n","to":"/e/n"}"#).is_none());
    assert!(carry(&empty, r#"{"truncate":"/e","to":1}"#).is_none());
}

/// The members of an object come in any order, and what is remembered of them must not change with it.
#[test]
fn what_is_remembered_of_the_members_of_an_object_has_no_order() {
    let map = r#"{"type":"object","properties":{"m":{"type":"object","additionalProperties":{"type":"string"}}}}"#;
    let sample = Sample::of(map, &[r#"{"each":"/m","do":[{"truncate":"","to":1}]}"#]);
    let residues = |record| up(&sample, &held(record)).unwrap().1.to_value();
    assert_eq!(residues(r#"{"m":{"a":"aa","b":"bb"}}"#), residues(r#"{"m":{"b":"bb","a":"aa"}}"#));
}

/// An unknown member of an object of one form could not come back into one that has become another.
#[test]
fn forms_must_say_the_same_of_unknown_members_where_a_step_meets_some() {
    let forms = |rest: &str| {
        format!(
            r#"{{"type":"object","properties":{{"x":{{"type":"number"}},"o":{{"anyOf":[{{"type":"object","required":["id"],"properties":{{"id":{{"const":"a"}}}}}},{{"type":"object","required":["id"],"properties":{{"id":{{"const":"b"}}}}{rest}}}]}}}},"required":["o"]}}"#
        )
    };
    let (alike, unlike) = (schema(&forms("")), schema(&forms(r#","additionalProperties":{"type":"string"}"#)));
    for step in [r#"{"move":"/x","to":"/o/x"}"#, r#"{"add":"/o/y","value":{}}"#, r#"{"copy":"/x","to":"/o/y"}"#] {
        assert!(carry(&alike, step).is_some(), "{step}");
        assert!(carry(&unlike, step).is_none(), "{step}");
    }
}

/// Of a listed object nobody knows whether it may be empty, as it is where it is made again.
#[test]
fn an_object_whose_values_are_listed_loses_no_member() {
    let listed = schema(r#"{"type":"object","required":["o"],"properties":{"o":{"const":{"x":1}}}}"#);
    assert!(carry(&listed, r#"{"flatten":"/o"}"#).is_none());
    assert!(carry(&listed, r#"{"pick":"/o","keep":["y"]}"#).is_none());
}

/// A digest tells whoever can guess.
#[test]
fn a_list_whose_items_forget_is_not_known_by_how_they_look() {
    let list = schema(
        r#"{"type":"object","properties":{"l":{"type":"array","items":{"type":"object","required":["id"],"properties":{"id":{"type":"string"},"pin":{"type":"string"},"t":{"type":"string"}}}}}}"#,
    );
    let step = |by: &str, more: &str| format!(r#"{{"each":"/l"{by},"do":[{{"remove":"/pin","forget":true}}{more}]}}"#);
    let more = r#",{"truncate":"/t","to":1}"#;
    assert!(carry(&list, &step("", "")).is_some());
    assert!(carry(&list, &step("", more)).is_none());
    assert!(carry(&list, &step(r#","by":"/id""#, more)).is_some());
}

/// An item without a name of its own is known by how it looks: what was remembered of it does not find it once it is edited,
/// and what it had by chance where the step adds something waits for the way up.
#[test]
fn a_member_that_was_there_by_chance_waits_while_its_item_is_not_known() {
    let sample = Sample::of(
        r#"{"type":"object","required":["l"],"properties":{"l":{"type":"array","items":{"type":"object","additionalProperties":{"type":"string"}}}}}"#,
        &[r#"{"each":"/l","do":[{"add":"/c","make":{"key":"k-"}},{"rename":"/c","to":"/a"}]}"#],
    );
    let mut there = goes_up_and_down(&sample, r#"{"l":[{"c":"by chance"}]}"#);
    there.0 = value(r#"{"l":[{"a":"edited"}]}"#);
    assert_eq!(down(&sample, &there).unwrap().0, value(r#"{"l":[{}]}"#));
    goes_down_and_up(&sample, &there);
}
