//! Where in a migration file's text an error is: from its context to the bytes to underline.

use std::borrow::Cow;
use std::ops::Range;

use exuvia_core::document::Value;
use exuvia_core::error::Context;

/// The bytes that the error is about, as narrow as its context allows.
pub(crate) fn find(text: &str, context: &Context) -> Option<Range<usize>> {
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        return Some(position(text, error.line(), error.column()));
    }
    let path = context.path.as_deref();
    let Some(collection) = &context.collection else { return span(text, member(text, "id")?.1) };
    match &context.step {
        Some(place) => in_step(text, step(member(member(text, "change")?.1, collection)?.1, place)?, path),
        None => in_collection(text, collection, path),
    }
}

/// Inside a step: the text that is the path, or the place in its schema, or else its verb.
fn in_step(text: &str, step: &str, path: Option<&str>) -> Option<Range<usize>> {
    let members = members(step);
    let pointer = path.map(|path| Value::from(path).to_json());
    let is_pointer = |token: &&str| pointer.as_deref() == Some(*token);
    let tokens = members.iter().flat_map(|(_, value)| std::iter::once(*value).chain(items(value)));
    if let Some(token) = tokens.into_iter().find(is_pointer) {
        return span(text, token);
    }
    let in_schema = || at_pointer(text, member(step, "schema")?.1, path?);
    in_schema().or_else(|| key_span(text, members.first()?))
}

/// Where the collection is declared, is moved or changes: the place in its schema, or else its name.
fn in_collection(text: &str, collection: &str, path: Option<&str>) -> Option<Range<usize>> {
    let sections = ["collections", "layout", "change"];
    let named = sections.iter().find_map(|section| member(member(text, section)?.1, collection))?;
    let in_schema = || at_pointer(text, member(named.1, "schema")?.1, path?);
    in_schema().or_else(|| key_span(text, &named))
}

/// The step at a place such as `3 (each) > 1 (map)`.
fn step<'a>(steps: &'a str, place: &str) -> Option<&'a str> {
    let mut list = steps;
    let mut found = None;
    for part in place.split(" > ") {
        if let Some(outer) = found {
            list = member(outer, "do")?.1;
        }
        let number: usize = part.split(' ').next()?.parse().ok()?;
        found = items(list).into_iter().nth(number.checked_sub(1)?);
    }
    found
}

/// The member that a JSON Pointer leads to.
fn at_pointer(text: &str, from: &str, pointer: &str) -> Option<Range<usize>> {
    let mut found = None;
    let mut json = from;
    for token in pointer.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        let listed = || Some(("".into(), items(json).into_iter().nth(name.parse().ok()?)?));
        let next: Member<'_> = member(json, &name).or_else(listed)?;
        json = next.1;
        found = Some(next);
    }
    key_span(text, &found?)
}

/// A member's name as it stands in the text, where it has no escapes, and its value's text.
type Member<'a> = (Cow<'a, str>, &'a str);

fn members(json: &str) -> Vec<Member<'_>> {
    let Ok(Value::Object(object)) = Value::parse(json).and_then(|value| value.opened()) else { return Vec::new() };
    object.into_iter().filter_map(|(name, value)| Some((name, raw(value)?))).collect()
}

fn member<'a>(json: &'a str, name: &str) -> Option<Member<'a>> {
    members(json).into_iter().find(|(known, _)| known == name)
}

fn items(json: &str) -> Vec<&str> {
    let Ok(Value::Array(items)) = Value::parse(json).and_then(|value| value.opened()) else { return Vec::new() };
    items.into_iter().filter_map(raw).collect()
}

fn raw(value: Value<'_>) -> Option<&str> {
    match value {
        Value::Raw(text) => Some(text),
        _ => None,
    }
}

/// The name with its quotes; or the value, where the name is not in the text as it is read.
fn key_span(text: &str, (name, value): &Member<'_>) -> Option<Range<usize>> {
    match name {
        Cow::Borrowed(name) if !name.is_empty() => {
            let name = span(text, name)?;
            Some(name.start.checked_sub(1)?..name.end + 1)
        }
        _ => span(text, value),
    }
}

/// Where a slice of the text stands in it.
fn span(text: &str, slice: &str) -> Option<Range<usize>> {
    let start = (slice.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    (start + slice.len() <= text.len()).then_some(start..start + slice.len())
}

/// The byte that a JSON parser stopped at.
fn position(text: &str, line: usize, column: usize) -> Range<usize> {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut start = (before + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let end = text[start..].chars().next().map_or(start, |found| start + found.len_utf8());
    start..end
}
