//! What a schema says of the members that it does not declare.

use crate::document::Value;
use crate::schema::Schema;

/// What members beyond the declared ones must fit, whatever the form of the object.
pub(super) fn strangers(enclosing: &Schema) -> Schema {
    let Value::Object(said) = enclosing.to_value() else { return Schema::any() };
    match (said.get("anyOf"), said.get("additionalProperties")) {
        (Some(_), _) => Schema::of_types(crate::schema::Types::NONE),
        (None, Some(schema)) => Schema::read(schema).unwrap_or_default(),
        (None, None) => Schema::any(),
    }
}

/// Whether all objects that fit have the same form, which is not a list of them.
pub(super) fn has_one_form(schema: &Schema) -> bool {
    let Value::Object(said) = schema.to_value() else { return true };
    said.get("anyOf").or(said.get("enum")).or(said.get("const")).is_none()
}

/// Whether any member is declared by its name.
pub(super) fn declares_members(schema: &Schema) -> bool {
    let Value::Object(said) = schema.to_value() else { return false };
    said.get("properties").or(said.get("anyOf")).or(said.get("enum")).is_some()
}
