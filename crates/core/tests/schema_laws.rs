//! The laws of schemas, over generated schemas and over values that fit them, nearly fit them, or have nothing to do
//! with them.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use exuvia_core::document::{Path, Value};
use exuvia_core::schema::{Inference, Schema};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use serde_json::{Map, Value as Json, json};

const KEYS: [&str; 7] = ["a", "b", "__proto__", "$ref", "a/b", "~", ""];
const TEXTS: [&str; 6] = ["", "x", "é", "a long text", "2024-02-29T12:00:00Z", "\u{1F600}"];

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-3..4_i64).prop_map(Json::from),
        (-6..7_i64).prop_map(|half| json!(half as f64 / 2.0)),
        select(&TEXTS[..]).prop_map(Json::from),
    ]
}

/// Any value, of keys and texts that the schemas know.
fn anything() -> impl Strategy<Value = Json> {
    scalar().prop_recursive(3, 16, 4, |inner| {
        let object = btree_map(select(&KEYS[..]), inner.clone(), 0..4);
        prop_oneof![vec(inner, 0..4).prop_map(Json::from), object.prop_map(|members| json!(members))]
    })
}

fn leaf() -> impl Strategy<Value = Json> {
    let types = ["null", "boolean", "integer", "number", "string", "array", "object"];
    prop_oneof![
        Just(json!({})),
        subsequence(types.to_vec(), 1..4).prop_map(|types| json!({ "type": types })),
        vec(anything(), 1..4).prop_map(|values| json!({ "enum": values })),
        scalar().prop_map(|value| json!({ "const": value, "title": "one" })),
        (0..3, 3..12).prop_map(|(least, most)| json!({ "type": "string", "minLength": least, "maxLength": most })),
        Just(json!({ "type": ["string", "null"], "format": "date-time" })),
        (-3..1, 1..4).prop_map(|(least, most)| json!({ "type": "number", "minimum": least, "maximum": most })),
        (-3..1).prop_map(|least| json!({ "type": ["integer", "boolean"], "minimum": least })),
    ]
}

/// Schemas of which two are likely to bound the same values.
fn bounded() -> impl Strategy<Value = Json> {
    prop_oneof![
        (-3..3, 0..4).prop_map(|(least, more)| json!({ "type": "number", "minimum": least, "maximum": least + more })),
        (-3..3).prop_map(|least| json!({ "type": "integer", "minimum": least })),
        vec(-3..4, 1..4).prop_map(|values| json!({ "enum": values })),
        (0..3, 0..3)
            .prop_map(|(least, more)| json!({ "minLength": least, "maxLength": least + more, "type": "string" })),
        (0..3, 0..3).prop_map(|(least, more)| json!({ "minItems": least, "maxItems": least + more, "type": "array" })),
    ]
}

/// A schema, as JSON.
fn schema() -> BoxedStrategy<Json> {
    let nested = leaf().prop_recursive(3, 12, 4, |inner| {
        let items = (inner.clone(), 0..2, 2..4).prop_map(
            |(items, least, most)| json!({ "type": "array", "items": items, "minItems": least, "maxItems": most }),
        );
        prop_oneof![items, object(inner.clone()), forms(inner)]
    });
    nested.boxed()
}

fn object(inner: impl Strategy<Value = Json> + Clone + 'static) -> impl Strategy<Value = Json> + Clone {
    let members = btree_map(select(&KEYS[..]), inner.clone(), 0..4);
    let rest = prop_oneof![Just(json!(true)), Just(json!(false)), inner];
    (members, rest, any::<Index>()).prop_map(|(members, rest, cut)| {
        let required: Vec<_> = members.keys().take(cut.index(members.len() + 1)).collect();
        json!({ "type": "object", "properties": members, "required": required, "additionalProperties": rest })
    })
}

/// Two forms of objects that a member tells apart, and something that is no object.
fn forms(inner: impl Strategy<Value = Json> + Clone + 'static) -> impl Strategy<Value = Json> {
    let other = prop_oneof![
        Just(json!({ "type": "null" })),
        Just(json!({ "enum": ["x", 1] })),
        Just(json!({ "type": "array" }))
    ];
    (object(inner.clone()), object(inner), other).prop_map(|(mut first, mut second, other)| {
        for (form, tag) in [(&mut first, json!({ "const": "first" })), (&mut second, json!({ "enum": [2, "second"] }))]
        {
            form["properties"]["kind"] = tag;
            form["required"].as_array_mut().unwrap().push(json!("kind"));
        }
        json!({ "anyOf": [first, other, second] })
    })
}

/// Values that a schema permits, read from its JSON without the code under test.
fn fitting(schema: &Json) -> BoxedStrategy<Json> {
    if let Some(values) = schema.get("enum") {
        return select(values.as_array().unwrap().clone()).boxed();
    }
    if let Some(value) = schema.get("const") {
        return Just(value.clone()).boxed();
    }
    if let Some(branches) = schema.get("anyOf") {
        let branches = branches.as_array().unwrap().clone();
        return select(branches).prop_flat_map(|branch| fitting(&branch)).boxed();
    }
    let types = match &schema["type"] {
        Json::String(one) => vec![one.clone()],
        Json::Array(types) => types.iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
        _ => return anything().boxed(),
    };
    let schema = schema.clone();
    select(types).prop_flat_map(move |name| fitting_type(&name, &schema)).boxed()
}

fn fitting_type(name: &str, schema: &Json) -> BoxedStrategy<Json> {
    let bound = |keyword: &str, default: i64| schema.get(keyword).map_or(default, |bound| bound.as_i64().unwrap());
    let numbers = bound("minimum", -9)..bound("maximum", 9) + 1;
    match name {
        "null" => Just(Json::Null).boxed(),
        "boolean" => any::<bool>().prop_map(Json::from).boxed(),
        "integer" => numbers.prop_map(Json::from).boxed(),
        "number" => numbers.prop_map(|number| json!(number as f64)).boxed(),
        "string" if schema.get("format").is_some() => Just(json!("2024-02-29T12:00:00.5+01:00")).boxed(),
        "string" => vec(
            select(vec!['a', 'é', '\u{1F600}', '"', '\u{0}']),
            bound("minLength", 0) as usize..=bound("maxLength", 5) as usize,
        )
        .prop_map(|letters| Json::from(String::from_iter(letters)))
        .boxed(),
        "array" => {
            let items = schema.get("items").map_or_else(|| anything().boxed(), fitting);
            vec(items, bound("minItems", 0) as usize..=bound("maxItems", 3) as usize).prop_map(Json::from).boxed()
        }
        "object" => fitting_object(schema),
        other => unreachable!("the generator knows no type {other}"),
    }
}

/// A declared member, its value, and whether it is there.
type Kept = (String, Json, bool);

fn fitting_object(schema: &Json) -> BoxedStrategy<Json> {
    let none = Map::new();
    let properties = schema.get("properties").map_or(&none, |properties| properties.as_object().unwrap());
    let required = |name: &str| schema["required"].as_array().is_some_and(|names| names.contains(&json!(name)));
    let declared: Vec<_> = properties
        .iter()
        .map(|(name, schema)| {
            let kept = if required(name) { Just(true).boxed() } else { any::<bool>().boxed() };
            (Just(name.clone()), fitting(schema), kept)
        })
        .collect();
    let rest = match schema.get("additionalProperties") {
        Some(Json::Bool(false)) => Just(Map::new()).boxed(),
        Some(schema @ Json::Object(_)) => (fitting(schema), any::<bool>())
            .prop_map(|(value, kept)| kept.then(|| ("more".to_owned(), value)).into_iter().collect())
            .boxed(),
        _ => btree_map("[m-p]{1,2}", scalar(), 0..3).prop_map(|more| more.into_iter().collect()).boxed(),
    };
    (declared, rest)
        .prop_map(|(declared, rest): (Vec<Kept>, Map<String, Json>)| {
            let declared = declared.into_iter().filter(|(_, _, kept)| *kept).map(|(name, value, _)| (name, value));
            Json::Object(declared.chain(rest).collect())
        })
        .boxed()
}

/// A schema and a value that fits it, or often enough does not.
fn pair() -> impl Strategy<Value = (Json, Json)> {
    prop_oneof![2 => schema(), 1 => bounded()].prop_flat_map(|schema| {
        let values = prop_oneof![2 => fitting(&schema), 1 => anything()];
        (Just(schema), values)
    })
}

fn read(schema: &Json) -> Schema {
    Schema::read(&Value::parse(&schema.to_string()).unwrap()).unwrap_or_else(|error| panic!("{schema}: {error}"))
}

fn accepts(schema: &Schema, value: &Json) -> bool {
    schema.accepts(&Value::parse(&value.to_string()).unwrap())
}

/// Whether a place that an error names is there, or, for a member that is missing, the object around it.
fn is_there(document: &Json, pointer: &str) -> bool {
    let parent = pointer.rfind('/').map_or("", |at| &pointer[..at]);
    document.pointer(pointer).is_some() || document.pointer(parent).is_some_and(Json::is_object)
}

fn check_join(a: &Schema, b: &Schema, values: &[Json]) -> Result<(), TestCaseError> {
    let (joined, turned) = (a.join(b), b.join(a));
    for value in values {
        if accepts(a, value) || accepts(b, value) {
            let both = accepts(&joined, value) && accepts(&turned, value);
            prop_assert!(both, "{value} by {}", joined.to_value().to_json());
        }
    }
    prop_assert_eq!(Schema::read(&joined.to_value()).unwrap(), joined);
    Ok(())
}

fn check_meet(a: &Schema, b: &Schema, values: &[Json]) -> Result<(), TestCaseError> {
    let met = a.meet(b);
    for value in values {
        prop_assert_eq!(accepts(&met, value), accepts(a, value) && accepts(b, value), "{}", value);
    }
    prop_assert_eq!(Schema::read(&met.to_value()).unwrap(), met);
    Ok(())
}

proptest! {
    #[test]
    fn what_is_made_to_fit_fits((schema, value) in schema().prop_flat_map(|schema| (Just(schema.clone()), fitting(&schema)))) {
        let schema = read(&schema);
        let text = value.to_string();
        let value = Value::parse(&text).unwrap();
        prop_assert_eq!(schema.validate(&value).map_err(|error| error.to_string()), Ok(()));
    }

    #[test]
    fn a_value_fits_whether_it_was_opened_or_not((schema, value) in pair()) {
        let schema = read(&schema);
        let text = value.to_string();
        let raw = Value::parse(&text).unwrap();
        let opened = raw.clone().into_owned().unwrap();
        prop_assert_eq!(schema.validate(&raw), schema.validate(&opened));
    }

    #[test]
    fn writing_changes_nothing(schema in schema()) {
        let schema = read(&schema);
        let again = Schema::read(&schema.to_value()).map_err(|error| error.to_string());
        prop_assert_eq!(again.as_ref(), Ok(&schema), "{}", schema.to_value().to_json());
    }

    #[test]
    fn a_join_permits_what_either_permits((a, value) in pair(), (b, other) in pair()) {
        check_join(&read(&a), &read(&b), &[value, other])?;
    }

    #[test]
    fn a_meet_permits_what_both_permit((a, value) in pair(), (b, other) in pair()) {
        check_meet(&read(&a), &read(&b), &[value, other])?;
    }

    #[test]
    fn bounds_join_and_meet(a in bounded(), b in bounded(), values in vec(prop_oneof![scalar(), bounded().prop_flat_map(|schema| fitting(&schema))], 8)) {
        check_join(&read(&a), &read(&b), &values)?;
        check_meet(&read(&a), &read(&b), &values)?;
    }

    #[test]
    fn the_schema_of_a_value_permits_it(value in anything()) {
        let text = value.to_string();
        let value = Value::parse(&text).unwrap();
        prop_assert!(Schema::of(&value).accepts(&value));
    }

    #[test]
    fn a_draft_permits_every_record(records in vec(anything(), 1..30), enums in 0..4_usize) {
        let texts: Vec<_> = records.iter().map(Json::to_string).collect();
        let mut inference = Inference::new(enums);
        for text in &texts {
            inference.see(&Value::parse(text).unwrap()).unwrap();
        }
        let schema = inference.schema();
        for text in &texts {
            let fits = schema.validate(&Value::parse(text).unwrap());
            prop_assert_eq!(fits.map_err(|error| error.to_string()), Ok(()), "{}", schema.to_value().to_json());
        }
        prop_assert_eq!(Schema::read(&schema.to_value()).unwrap(), schema);
    }

    #[test]
    fn an_error_names_a_place_in_the_document((schema, value) in pair()) {
        if let Err(error) = read(&schema).validate(&Value::parse(&value.to_string()).unwrap()) {
            let pointer = error.context().path.clone().unwrap_or_default();
            prop_assert!(is_there(&value, &pointer), "{pointer} in {value}");
        }
    }

    #[test]
    fn a_change_is_where_it_was_made((schema, _) in pair(), name in select(&KEYS[..]), new in leaf()) {
        let (mut schema, new) = (read(&schema), read(&new));
        let at = Path::default().join(name);
        if schema.require(&at).is_ok() && schema.at(&at).is_some() {
            schema.replace(&at, new.clone());
            prop_assert_eq!(schema.at(&at), Some(&new));
            schema.undeclare(&at);
            prop_assert!(schema.refuse(&at).is_ok());
            schema.declare(&at, new.clone(), true);
            prop_assert_eq!((schema.at(&at), schema.requires(&at)), (Some(&new), true));
        }
    }
}
