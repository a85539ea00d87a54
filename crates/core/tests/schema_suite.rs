//! The official JSON Schema Test Suite, draft 2020-12, for every keyword that is read. The files are those of the suite,
//! `json-schema-suite/LICENSE` is its licence. No case is skipped: what is refused, and what is decided otherwise, stands
//! here by name.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::collections::BTreeSet;
use std::path::Path;

use exuvia_core::document::Value;
use exuvia_core::schema::Schema;
use serde_json::value::RawValue;

const FILES: [&str; 20] = [
    "additionalProperties",
    "anyOf",
    "bignum",
    "boolean_schema",
    "const",
    "date-time",
    "default",
    "defs",
    "enum",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "properties",
    "ref",
    "required",
    "type",
];

const NOT_A_DEFINITION: &str = "expected \"#/$defs/NAME\"";
const NESTED_ID: &str = "expected \"$id\" only at the top";
const UNUSED_DEFINITION: &str = "expected every definition to be referenced";

/// Schemas that must be refused when they are read: the file, the suite's description, and what the error must say.
const REFUSED: [(&str, &str, &str); 38] = [
    (
        "additionalProperties",
        "additionalProperties being false does not allow other properties",
        "found \"patternProperties\"",
    ),
    ("additionalProperties", "non-ASCII pattern with additionalProperties", "found \"patternProperties\""),
    ("additionalProperties", "additionalProperties does not look in applicators", "found \"allOf\""),
    ("additionalProperties", "additionalProperties with propertyNames", "found \"propertyNames\""),
    ("additionalProperties", "dependentSchemas with additionalProperties", "found \"dependentSchemas\""),
    ("anyOf", "anyOf", "told apart"),
    ("anyOf", "anyOf with base schema", "told apart"),
    ("anyOf", "anyOf complex types", "told apart"),
    ("bignum", "float comparison with high precision", "found \"exclusiveMaximum\""),
    ("bignum", "float comparison with high precision on negative numbers", "found \"exclusiveMinimum\""),
    ("defs", "validate definition against metaschema", NOT_A_DEFINITION),
    ("items", "items and subitems", "found \"prefixItems\""),
    ("items", "prefixItems with no additional items allowed", "found \"prefixItems\""),
    ("items", "items does not look in applicators, valid case", "found \"allOf\""),
    ("items", "prefixItems validation adjusts the starting index for items", "found \"prefixItems\""),
    ("items", "items with heterogeneous array", "found \"prefixItems\""),
    ("properties", "properties, patternProperties, additionalProperties interaction", "found \"patternProperties\""),
    ("ref", "root pointer ref", NOT_A_DEFINITION),
    ("ref", "relative pointer ref to object", NOT_A_DEFINITION),
    ("ref", "relative pointer ref to array", "found \"prefixItems\""),
    ("ref", "remote ref, containing refs itself", NOT_A_DEFINITION),
    ("ref", "Recursive references between schemas", NOT_A_DEFINITION),
    ("ref", "ref creates new scope when adjacent to keywords", "found \"unevaluatedProperties\""),
    ("ref", "naive replacement of $ref with its destination is not correct", UNUSED_DEFINITION),
    ("ref", "refs with relative uris and defs", NESTED_ID),
    ("ref", "relative refs with absolute uris and defs", NESTED_ID),
    ("ref", "$id must be resolved against nearest parent, not just immediate parent", "found \"allOf\""),
    ("ref", "order of evaluation: $id and $ref", NOT_A_DEFINITION),
    ("ref", "order of evaluation: $id and $anchor and $ref", NOT_A_DEFINITION),
    ("ref", "simple URN base URI with $ref via the URN", NOT_A_DEFINITION),
    ("ref", "URN base URI with URN and JSON pointer ref", NOT_A_DEFINITION),
    ("ref", "URN base URI with URN and anchor ref", NOT_A_DEFINITION),
    ("ref", "URN ref with nested pointer ref", NOT_A_DEFINITION),
    ("ref", "ref to if", NOT_A_DEFINITION),
    ("ref", "ref to then", NOT_A_DEFINITION),
    ("ref", "ref to else", NOT_A_DEFINITION),
    ("ref", "ref with absolute-path-reference", NOT_A_DEFINITION),
    ("ref", "empty tokens in $ref json-pointer", "found \"allOf\""),
];

/// Texts that RFC 3339 permits and Exuvia does not take for a time: no step could convert them and come back to them.
const NO_TIMES: [&str; 3] = [
    "a valid date-time with a leap second, UTC",
    "a valid date-time with a leap second, with minus offset",
    "case-insensitive T and Z",
];

/// How many values are tried, so that a lost file is noticed.
const TESTS: usize = 370;

#[derive(serde::Deserialize)]
struct Group {
    description: String,
    schema: Box<RawValue>,
    tests: Vec<Test>,
}

#[derive(serde::Deserialize)]
struct Test {
    description: String,
    data: Box<RawValue>,
    valid: bool,
}

fn groups(file: &str) -> Vec<Group> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/json-schema-suite");
    let text = std::fs::read_to_string(folder.join(file).with_extension("json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_schema_is_read_or_refused_for_the_reason_given() {
    let mut refused = BTreeSet::new();
    for file in FILES {
        for Group { description, schema, .. } in groups(file) {
            let Err(error) = Schema::read(&Value::parse(schema.get()).unwrap()) else { continue };
            let known = REFUSED.iter().find(|known| (known.0, known.1) == (file, &description));
            let (_, _, reason) = known.unwrap_or_else(|| panic!("{file}, {description:?} is refused: {error}"));
            assert!(error.message().contains(reason), "{file}, {description:?}: {error}");
            refused.insert((file, description));
        }
    }
    for (file, description, _) in REFUSED {
        assert!(refused.contains(&(file, description.to_owned())), "{file}, {description:?} is read");
    }
}

#[test]
fn every_value_fits_or_not_as_the_suite_says() {
    let mut counted = (0, 0);
    for file in FILES {
        for Group { description, schema, tests } in groups(file) {
            let Ok(schema) = Schema::read(&Value::parse(schema.get()).unwrap()) else { continue };
            // What a schema says is not changed by writing it.
            let again = Schema::read(&schema.to_value()).unwrap();
            for test in tests {
                let decided = file == "date-time" && NO_TIMES.contains(&&*test.description);
                let expected = test.valid && !decided;
                let data = Value::parse(test.data.get()).unwrap();
                for schema in [&schema, &again] {
                    let found = schema.accepts(&data);
                    assert_eq!(found, expected, "{file}, {description:?}, {:?}", test.description);
                }
                counted = (counted.0 + 1, counted.1 + usize::from(decided));
            }
        }
    }
    assert_eq!(counted, (TESTS, NO_TIMES.len()));
}
