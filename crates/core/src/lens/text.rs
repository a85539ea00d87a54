//! Functions on texts. Lengths count code points, and nothing is normalised.

use std::borrow::Cow;

use super::function::unfit;
use crate::document::Value;
use crate::error::Result;
use crate::json_words;

/// Where in a text something is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Wherever it occurs.
    Anywhere,
    /// At the start, once.
    Prefix,
    /// At the end, once.
    Suffix,
}

json_words!(Anchor { "anywhere": Anywhere, "prefix": Prefix, "suffix": Suffix });

pub(super) fn split<'a>(by: &str, value: &Value<'a>) -> Result<Value<'a>> {
    let text = text_of(value)?;
    if text.is_empty() {
        return Ok(Value::Array(Vec::new()));
    }
    Ok(Value::Array(text.split(by).map(owned).collect()))
}

pub(super) fn join<'a>(by: &str, value: &Value<'a>) -> Result<Value<'a>> {
    let expected = "a list of texts to join";
    let Value::Array(items) = value.opened()? else { return Err(unfit(expected, value)) };
    let mut parts = Vec::with_capacity(items.len());
    for item in &items {
        parts.push(item.text()?.ok_or_else(|| unfit(expected, item))?);
    }
    Ok(Value::String(Cow::Owned(parts.join(by))))
}

pub(super) fn replace<'a>(find: &str, with: &str, anchor: Anchor, value: &Value<'a>) -> Result<Value<'a>> {
    let text = text_of(value)?;
    let replaced = match anchor {
        Anchor::Anywhere if text.contains(find) => Some(text.replace(find, with)),
        Anchor::Anywhere => None,
        Anchor::Prefix => text.strip_prefix(find).map(|rest| format!("{with}{rest}")),
        Anchor::Suffix => text.strip_suffix(find).map(|rest| format!("{rest}{with}")),
    };
    Ok(Value::String(replaced.map_or(text, Cow::Owned)))
}

pub(super) fn truncate<'a>(length: usize, value: &Value<'a>) -> Result<Value<'a>> {
    let text = text_of(value)?;
    Ok(match text.char_indices().nth(length) {
        Some((end, _)) => owned(&text[..end]),
        None => Value::String(text),
    })
}

fn text_of<'a>(value: &Value<'a>) -> Result<Cow<'a, str>> {
    value.text()?.ok_or_else(|| unfit("a text", value))
}

fn owned<'a>(text: &str) -> Value<'a> {
    Value::String(Cow::Owned(text.to_owned()))
}
