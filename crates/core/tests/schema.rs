//! What schemas say: how they are read, refused, carried through an `anyOf`, drafted from records and told to TypeScript.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use exuvia_core::document::{Number, Path, Value};
use exuvia_core::schema::{Inference, Presence, Schema, Type, typescript};

fn value(text: &str) -> Value<'_> {
    Value::parse(text).unwrap()
}

fn schema(text: &str) -> Schema {
    Schema::read(&value(text)).unwrap()
}

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

fn written(text: &str) -> String {
    schema(text).to_value().to_json()
}

/// Parts of messages: a text with an image, told apart by `type`.
const PARTS: &str = r#"{ "anyOf": [
    { "title": "Text", "type": "object", "required": ["type", "text"],
      "properties": { "id": { "type": "string" }, "type": { "const": "text" }, "text": { "type": "string" } } },
    { "title": "Image", "type": "object", "required": ["type", "url"],
      "properties": { "id": { "type": "string" }, "type": { "const": "image" }, "url": { "type": "string" } } },
    { "type": "null" } ] }"#;

#[test]
fn what_is_refused_says_where_and_why() {
    let refused = [
        (r#"{"properties":{"a":{"patten":"x"}}}"#, "path /properties/a/patten, expected a keyword that Exuvia checks"),
        (r#"{"items":{"type":"text"}}"#, "path /items/type, expected the name of a type"),
        (r#"{"type":[]}"#, "path /type, expected a list that is not empty"),
        (r#"{"enum":[]}"#, "path /enum, expected a list that is not empty"),
        (r#"{"minLength":-1}"#, "path /minLength, expected a whole number that is not negative, found number"),
        (r#"{"format":"email"}"#, "path /format, expected the format \"date-time\""),
        (r#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#, "path /$schema, expected the dialect"),
        (r#"{"$defs":{"a":{}}}"#, "path /$defs/a, expected every definition to be referenced"),
        (r##"{"$ref":"#/$defs/b","$defs":{"a":{}}}"##, "path /$ref, expected \"#/$defs/NAME\""),
        (
            r##"{"$ref":"#/$defs/a","$defs":{"a":{"items":{"$ref":"#/$defs/b"}},"b":{"$ref":"#/$defs/a"}}}"##,
            "path /$ref/items/$ref/$ref, expected definitions that end, found the cycle a -> b -> a",
        ),
        (
            r#"{"anyOf":[{"type":"string"},{"const":"a"}]}"#,
            "path /anyOf/1, expected branches told apart by type, or, where several permit objects, by a required member that has \"const\" or \"enum\" in each; found a second one that permits a value of type string",
        ),
        (
            r#"{"anyOf":[{"type":"object","properties":{"a":{"const":1}}},{"type":"object","properties":{"a":{"const":2}}}]}"#,
            "found a second one that permits a value of type object",
        ),
    ];
    for (text, expected) in refused {
        let error = Schema::read(&value(text)).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn definitions_cannot_fill_the_memory() {
    let level = |n: usize| {
        format!(r##""d{n}":{{"properties":{{"a":{{"$ref":"#/$defs/d{0}"}},"b":{{"$ref":"#/$defs/d{0}"}}}}}}"##, n + 1)
    };
    let levels: Vec<_> = (0..40).map(level).collect();
    let text = format!(r##"{{"$ref":"#/$defs/d0","$defs":{{{},"d40":true}}}}"##, levels.join(","));
    assert!(Schema::read(&value(&text)).unwrap_err().message().contains("parts"));
}

#[test]
fn keywords_that_restrict_the_same_value_are_intersected() {
    let same = [
        (r#"{"enum":[1,2,"a",2.0],"const":2}"#, r#"{"const":2}"#),
        (r#"{"enum":[1,2,"a",2.0],"type":"integer"}"#, r#"{"enum":[1,2]}"#),
        (r#"{"enum":[1,2,"a"],"minimum":2}"#, r#"{"enum":[2,"a"]}"#),
        (r#"{"const":1,"type":"string"}"#, "false"),
        (r#"{"type":"string","minimum":3}"#, r#"{"type":"string"}"#),
        (r#"{"type":["number","integer"]}"#, r#"{"type":"number"}"#),
        (
            r##"{"$ref":"#/$defs/a","minimum":1,"$defs":{"a":{"minimum":0,"maximum":2}}}"##,
            r#"{"minimum":1,"maximum":2}"#,
        ),
        (
            r#"{"type":["string","null"],"anyOf":[{"type":"string","minLength":1},{"type":"null"},{"type":"array"}]}"#,
            r#"{"type":["null","string"],"minLength":1}"#,
        ),
        (
            r#"{"required":["a"],"additionalProperties":{"type":"string"}}"#,
            r#"{"required":["a"],"properties":{"a":{"type":"string"}},"additionalProperties":{"type":"string"}}"#,
        ),
        (r#"{"required":["a"],"properties":{"a":false}}"#, r#"{"type":["null","boolean","number","string","array"]}"#),
        (r#"{"anyOf":[{"const":"a"},{"enum":["b","a"]},{"type":"null"}]}"#, r#"{"enum":["a","b",null]}"#),
        (
            r#"{"anyOf":[{"enum":["a","b"]},{"type":"number","minimum":0}]}"#,
            r#"{"anyOf":[{"enum":["a","b"]},{"type":"number","minimum":0}]}"#,
        ),
    ];
    for (text, expected) in same {
        assert_eq!(written(text), expected, "{text}");
    }
}

#[test]
fn titles_and_descriptions_come_out_again() {
    let text = r#"{"type":"object","properties":{"a":{"type":"string","title":"A"},"b":{"description":"B"}},"title":"T","description":"D"}"#;
    assert_eq!(written(text), text);
    assert!(written(PARTS).contains(r#""title":"Image""#));
}

#[test]
fn an_object_must_fit_the_branch_that_its_tag_names() {
    let parts = schema(PARTS);
    for good in ["null", r#"{"type":"text","text":"a","url":1}"#, r#"{"type":"image","url":"a"}"#] {
        assert!(parts.accepts(&value(good)), "{good}");
    }
    let errors = [
        (r#"{"type":"text","text":1}"#, "path /text, expected string, found number"),
        (r#"{"type":"image","text":"a"}"#, "path /url, expected a member, found none"),
        (r#"{"type":"sound"}"#, "expected an object of one of 2 forms, told apart by type; found an object of none"),
        ("1", "expected null or object, found number"),
    ];
    for (text, message) in errors {
        assert_eq!(parts.validate(&value(text)).unwrap_err().to_string(), message);
    }
}

#[test]
fn a_step_sees_of_the_branches_what_is_alike_in_each() {
    let parts = schema(PARTS);
    assert_eq!(parts.presence(&path("/id")), Presence::Optional);
    assert_eq!(parts.require(&path("/id")).unwrap(), Schema::of_types(Type::String.into()));
    assert_eq!(parts.presence(&path("/other")), Presence::Undeclared);
    for contested in ["/type", "/text", "/url"] {
        let message = parts.require(&path(contested)).unwrap_err().to_string();
        assert!(message.contains("all branches of the \"anyOf\""), "{message}");
        assert!(parts.refuse(&path(contested)).is_err());
        assert!(!parts.at(&path(contested)).unwrap().accepts(&value("1")));
    }
    assert_eq!(parts.seen_at(&path("/type")).values().unwrap(), [Value::from("text"), Value::from("image")]);
    assert_eq!(parts.seen_at(&path("/text")), Schema::any());
}

#[test]
fn a_change_is_made_in_every_branch() {
    let mut parts = schema(PARTS);
    parts.replace(&path("/id"), Schema::of_types(Type::Integer.into()));
    parts.declare(&path("/rank"), Schema::of_types(Type::Integer.into()), true);
    for (text, fits) in [
        (r#"{"type":"text","text":"a","rank":1}"#, true),
        (r#"{"type":"image","url":"a","rank":1,"id":2}"#, true),
        (r#"{"type":"image","url":"a"}"#, false),
        (r#"{"type":"image","url":"a","rank":1,"id":"2"}"#, false),
    ] {
        assert_eq!(parts.accepts(&value(text)), fits, "{text}");
    }
    parts.undeclare(&path("/rank"));
    assert!(parts.accepts(&value(r#"{"type":"image","url":"a","rank":"x"}"#)));
    // Without their tag the branches cannot be told apart: what either permits is all that is left to say.
    parts.undeclare(&path("/type"));
    assert!(parts.accepts(&value(r#"{"text":1,"url":1}"#)));
    assert!(!parts.accepts(&value(r#"{"id":"x"}"#)));
}

#[test]
fn a_member_of_what_may_be_no_object_may_be_absent() {
    let nullable = schema(
        r#"{"type":"object","required":["a"],"properties":{"a":{"type":["object","null"],"required":["b"],"properties":{"b":{"type":"string"}}}}}"#,
    );
    assert_eq!(nullable.presence(&path("/a")), Presence::Required);
    assert_eq!(nullable.presence(&path("/a/b")), Presence::Optional);
    assert!(nullable.requires(&path("/a/b")));
}

#[test]
fn what_is_inside_of_arrays_and_maps_changes_with_them() {
    let text = Schema::of_types(Type::String.into());
    let map = schema(r#"{"type":"object","additionalProperties":{"type":"number"}}"#);
    assert!(map.clone().with_inner(text.clone()).accepts(&value(r#"{"a":"b"}"#)));
    assert_eq!(map.inner(), Some(Schema::of_types(Type::Number.into())));
    let mixed =
        schema(r#"{"type":"object","properties":{"a":{"type":"number"}},"additionalProperties":{"type":"string"}}"#);
    assert_eq!(mixed.inner(), None);
    assert!(mixed.with_inner(Schema::any()).accepts(&value(r#"{"a":"b","b":1}"#)));
    let listed = schema(r#"{"enum":[[1],[2]]}"#);
    assert!(listed.with_inner(text).accepts(&value(r#"["a"]"#)));
    assert_eq!(schema(r#"{"type":["string","null"],"enum":["a"]}"#).or_null().values().unwrap().len(), 2);
}

#[test]
fn bounds_are_exact() {
    let bound = |text: &str| Number::parse(text).unwrap();
    let schema = Schema::between(bound("9007199254740993"), bound("9007199254740993.5"));
    for (text, fits) in [("9007199254740992", false), ("9007199254740993.0", true), ("9007199254740993.6", false)] {
        assert_eq!(schema.accepts(&value(text)), fits, "{text}");
    }
}

#[test]
fn a_long_text_is_read_only_where_its_length_is_in_doubt() {
    // Half of a surrogate pair, which reading would report.
    let text = format!(r#""{}\ud800""#, "a".repeat(100));
    assert!(schema(r#"{"type":"string","minLength":1,"maxLength":200}"#).validate(&value(&text)).is_ok());
    assert!(schema(r#"{"type":"string","minLength":100}"#).validate(&value(&text)).is_err());
    let emoji = "\"\\ud83d\\ude00\\ud83d\\ude00\"";
    assert!(schema(r#"{"minLength":2,"maxLength":2}"#).accepts(&value(emoji)));
    assert!(!schema(r#"{"minLength":3}"#).accepts(&value(emoji)));
    assert!(!schema(r#"{"maxLength":1}"#).accepts(&value(emoji)));
}

#[test]
fn no_error_tells_a_value() {
    let cases = [
        (r#"{"type":"integer"}"#, "12345.5"),
        (r#"{"enum":["a"]}"#, r#""SECRET""#),
        (r#"{"format":"date-time"}"#, r#""SECRET""#),
        (r#"{"maxLength":2}"#, r#""SECRET""#),
        (r#"{"maximum":2}"#, "12345"),
        (PARTS, r#"{"type":"SECRET"}"#),
    ];
    for (text, found) in cases {
        let message = schema(text).validate(&value(found)).unwrap_err().to_string();
        assert!(!message.contains("SECRET") && !message.contains("12345"), "{message}");
    }
}

#[test]
fn a_draft_says_what_all_records_have_in_common() {
    let records = [
        r#"{"id":"a","n":1,"role":"user","tags":["x"],"at":null}"#,
        r#"{"id":"b","n":2.0,"role":"user","tags":[],"extra":{"k":1}}"#,
        r#"{"id":"c","n":3,"role":"tool","tags":[1],"at":"now"}"#,
        r#"{"id":"d","n":3,"role":"tool","tags":["y"]}"#,
    ];
    let draft = |enums| {
        let mut inference = Inference::new(enums);
        records.iter().for_each(|text| inference.see(&value(text)).unwrap());
        inference.schema().to_value().to_json()
    };
    let expected = |role: &str| {
        format!(
            r#"{{"type":"object","required":["id","n","role","tags"],"properties":{{"at":{{"type":["null","string"]}},"extra":{{"type":"object","required":["k"],"properties":{{"k":{{"type":"integer"}}}}}},"id":{{"type":"string"}},"n":{{"type":"integer"}},"role":{role},"tags":{{"type":"array","items":{{"type":["integer","string"]}}}}}}}}"#
        )
    };
    assert_eq!(draft(0), expected(r#"{"type":"string"}"#));
    assert_eq!(draft(3), expected(r#"{"enum":["tool","user"]}"#));
    assert_eq!(Inference::new(0).schema(), Schema::any());
}

#[test]
fn an_object_whose_keys_change_is_drafted_as_a_map() {
    let infer = |records: &[String]| {
        let records: Vec<_> = records.iter().map(|text| value(text)).collect();
        Schema::infer(&records).unwrap().to_value().to_json()
    };
    let keyed = |keys: std::ops::Range<usize>| keys.map(|n| format!(r#"{{"k{n}":{n}}}"#)).collect::<Vec<_>>();
    let map = r#"{"type":"object","additionalProperties":{"type":"integer"}}"#;
    assert_eq!(infer(&keyed(0..21)), map);
    assert!(infer(&keyed(0..20)).contains("properties\":{\"k0\""));
    assert_eq!(infer(&keyed(0..3000)), map);
    let wide = (0..25).map(|n| format!(r#""k{n}":{n}"#)).collect::<Vec<_>>().join(",");
    assert!(infer(&[format!("{{{wide}}}")]).contains("\"required\":[\"k0\""));
}

#[test]
fn types_for_typescript() {
    let records = schema(
        r##"{ "title": "A talk.", "type": "object", "required": ["id", "at", "parts", "odd-name"],
              "properties": {
                "id": { "type": "string", "description": "Its key.\nNever */ changes." },
                "at": { "type": ["string", "null"], "format": "date-time" },
                "role": { "enum": ["user", "tool", 3, null] },
                "keys": { "type": "object", "additionalProperties": { "type": "string" } },
                "odd-name": { "const": { "a b": [true] } },
                "parts": { "type": "array", "items": { "$ref": "#/$defs/part" } },
                "any": {}, "none": false, "open": { "type": "object" } },
              "$defs": { "part": { "anyOf": [
                { "type": "object", "required": ["type"], "properties": { "type": { "const": "text" } } },
                { "type": "object", "required": ["type"], "properties": { "type": { "const": "image" } } } ] } } }"##,
    );
    let single = schema(r#"{"type":["string","integer"]}"#);
    let expected = r#"/**
 * A talk.
 * A record of "conversations" at version 3.
 */
export interface ConversationV3 {
  any?: unknown;
  /** A point in time, as RFC 3339 writes it. */
  at: string | null;
  /**
   * Its key.
   * Never *\/ changes.
   */
  id: string;
  keys?: Record<string, string>;
  none?: never;
  "odd-name": { "a b": [true] };
  open?: Record<string, unknown>;
  parts: Array<{
    type: "text";
  } | {
    type: "image";
  }>;
  role?: "user" | "tool" | 3 | null;
}

/** A record of "words" at version 3. */
export type WordV3 = number | string;
"#;
    assert_eq!(typescript(3, [("conversations", &records), ("words", &single)]), expected);
}
