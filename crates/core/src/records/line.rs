//! What a chunk of a snapshot is made of: a line of JSON for each stored value, slice of a value, or record.

use std::borrow::Cow;
use std::collections::HashMap;

use super::keys::{ASIDE, RESIDUE, residue_key};
use crate::chain::{Collection, Collections, Family, Layout, RESIDUE_LEVELS, Record, Residues, Route, aside_prefix};
use crate::document::{Object, Value, quote};
use crate::error::{Error, ErrorKind, Result};

/// The key and the value of a record that is set aside: a text, since a browser would cut off what is nested deep.
pub(super) fn aside_entry(record: &Record<'_>) -> (String, String) {
    let mut text = String::from("{\"record\":");
    record.value.write(&mut text);
    if !record.residues.is_empty() {
        text.push_str(",\"residue\":");
        record.residues.to_value().write(&mut text);
    }
    text.push('}');
    (aside_prefix(&record.collection) + &record.key, Value::from(&*text).to_json())
}

pub(super) fn read_aside(key: &str, value: &Value<'_>) -> Result<Record<'static>> {
    let malformed =
        || Error::new(ErrorKind::Snapshot, "expected a record as Exuvia sets it aside, found something else");
    let (collection, key) = key.strip_prefix(ASIDE).and_then(|name| name.split_once(':')).ok_or_else(malformed)?;
    let text = value.text()?.ok_or_else(malformed)?;
    let Value::Object(mut parts) = Value::parse_inside(&text, RESIDUE_LEVELS)?.opened()? else {
        return Err(malformed());
    };
    let value = parts.remove("record").ok_or_else(malformed)?.into_owned()?;
    let residues = parts.remove("residue").map(Value::into_owned).transpose()?;
    let residues = residues.map_or_else(|| Ok(Residues::default()), |residues| Residues::from_value(&residues))?;
    let (collection, key) = (Cow::Owned(collection.to_owned()), Cow::Owned(key.to_owned()));
    Ok(Record { collection, key, value, residues, is_aside: true })
}

/// One line.
pub(super) enum Line<'a> {
    /// A storage key and its whole value.
    Whole { key: Cow<'a, str>, value: Value<'a> },
    /// Items of the array under a storage key, the first of them at `start`.
    Items { key: Cow<'a, str>, start: u64, items: Vec<Value<'a>> },
    /// Members of the object under a storage key.
    Members { key: Cow<'a, str>, members: Object<'a> },
    /// A record by itself, staged for an import.
    Record(Record<'a>),
}

/// What wraps a document in a line: the line's object, and the array or object of a slice.
const LEVELS: usize = 2;

impl<'a> Line<'a> {
    /// Reads a line that was written here.
    pub(super) fn parse(text: &'a str) -> Result<Self> {
        let malformed = || Error::new(ErrorKind::Snapshot, "expected a line of a snapshot, found something else");
        let Value::Object(mut line) = Value::trusted(text, LEVELS)?.opened()? else { return Err(malformed()) };
        if line.get("collection").is_some() {
            return Ok(Line::Record(record_of(line)?));
        }
        let key = line.remove("at").and_then(|key| key.text().ok().flatten()).ok_or_else(malformed)?;
        if let Some(value) = line.remove("value") {
            return Ok(Line::Whole { key, value });
        }
        if let Some(start) = line.remove("start").and_then(|start| start.number()?.to_i64()) {
            let Some(Value::Array(items)) = line.remove("items").map(|items| items.opened()).transpose()? else {
                return Err(malformed());
            };
            return Ok(Line::Items { key, start: start.unsigned_abs(), items });
        }
        match line.remove("members").map(|members| members.opened()).transpose()? {
            Some(Value::Object(members)) => Ok(Line::Members { key, members }),
            _ => Err(malformed()),
        }
    }
}

fn record_of<'a>(mut line: Object<'a>) -> Result<Record<'a>> {
    let malformed =
        || Error::new(ErrorKind::Snapshot, "expected a record in a line of a snapshot, found something else");
    let mut text_at =
        |name: &str| line.remove(name).and_then(|value| value.text().ok().flatten()).ok_or_else(malformed);
    let (collection, key) = (text_at("collection")?, text_at("key")?);
    let value = line.remove("record").ok_or_else(malformed)?;
    let residues = line.remove("residue").map(|value| Residues::from_value(&value)).transpose()?.unwrap_or_default();
    let is_aside = line.remove("aside").is_some();
    Ok(Record { collection, key, value, residues, is_aside })
}

impl Line<'_> {
    /// Where the value was stored; `None` for a record that stands for itself.
    pub(super) fn storage_key(&self) -> Option<&str> {
        match self {
            Line::Whole { key, .. } | Line::Items { key, .. } | Line::Members { key, .. } => Some(key),
            Line::Record(_) => None,
        }
    }
}

/// Writes the line of a whole value.
pub(super) fn write_whole(key: &str, value: &str, out: &mut String) {
    out.push_str("{\"at\":");
    quote(key, out);
    out.push_str(",\"value\":");
    out.push_str(value);
    out.push_str("}\n");
}

/// Writes the line of a slice: `text` is a JSON array or object.
pub(super) fn write_slice(key: &str, start: usize, is_array: bool, text: &str, out: &mut String) {
    out.push_str("{\"at\":");
    quote(key, out);
    match is_array {
        true => out.push_str(&format!(",\"start\":{start},\"items\":")),
        false => out.push_str(",\"members\":"),
    }
    out.push_str(text);
    out.push_str("}\n");
}

/// Writes the line of a record, as it stands in chunks and in export files.
pub(super) fn write_record(record: &Record<'_>, out: &mut String) {
    write_member(record, out);
    out.push('\n');
}

/// Writes the line of a family, of what [`write_member`] wrote of its records.
pub(super) fn write_family(members: &[String], out: &mut String) {
    out.push_str("{\"family\":[");
    out.push_str(&members.join(","));
    out.push_str("]}\n");
}

/// Writes a record without the end of its line.
pub(super) fn write_member(record: &Record<'_>, out: &mut String) {
    out.push_str("{\"collection\":");
    quote(&record.collection, out);
    out.push_str(",\"key\":");
    quote(&record.key, out);
    out.push_str(",\"record\":");
    record.value.write(out);
    if !record.residues.is_empty() {
        out.push_str(",\"residue\":");
        record.residues.to_value().write(out);
    }
    if record.is_aside {
        out.push_str(",\"aside\":true");
    }
    out.push('}');
}

/// The families in a chunk of the source of a route.
pub(super) fn families<'a>(chunk: &'a str, route: &Route<'_>) -> Result<Vec<Family<'a>>> {
    if !route.gathers() {
        return Ok(records_and_asides(chunk, route.before())?.into_iter().map(|record| vec![record]).collect());
    }
    let malformed = || Error::new(ErrorKind::Snapshot, "expected a line of families, found something else");
    let family = |line| {
        let line = Value::parse_inside(line, LEVELS + RESIDUE_LEVELS)?;
        let members = line.members().and_then(|mut line| line.remove("family")).ok_or_else(malformed)?;
        let Value::Array(members) = members.opened()? else { return Err(malformed()) };
        members.iter().map(|member| record_of(member.members().ok_or_else(malformed)?)).collect()
    };
    chunk.lines().map(family).collect()
}

/// The records of collections in a chunk.
pub(super) fn records<'a>(chunk: &'a str, collections: &Collections) -> Result<Vec<Record<'a>>> {
    let mut found = records_and_asides(chunk, collections)?;
    found.retain(|record| !record.is_aside);
    Ok(found)
}

/// The records of collections in a chunk, and those that are set aside.
pub(super) fn records_and_asides<'a>(chunk: &'a str, collections: &Collections) -> Result<Vec<Record<'a>>> {
    let mut residues = HashMap::new();
    let (mut stored, mut found) = (Vec::new(), Vec::new());
    for line in chunk.lines() {
        match Line::parse(line)? {
            Line::Whole { key, value } if key.starts_with(RESIDUE) => {
                drop(residues.insert(key.into_owned(), Residues::from_value(&value)?));
            }
            Line::Whole { key, value } if key.starts_with(ASIDE) => found.push(read_aside(&key, &value)?),
            line => stored.push(line),
        }
    }
    for line in stored {
        let key = match &line {
            Line::Whole { key, .. } | Line::Items { key, .. } | Line::Members { key, .. } => key.clone(),
            Line::Record(_) => Cow::Borrowed(""),
        };
        let owner = collections.iter().find(|(_, collection)| collection.layout.owns(&key));
        match (line, owner) {
            (Line::Record(record), _) => found.push(record),
            (line, Some((name, collection))) => {
                split(line, name, collection, &mut residues, &mut found).map_err(|error| error.in_collection(name))?;
            }
            (_, None) => {}
        }
    }
    Ok(found)
}

fn split<'a>(
    line: Line<'a>,
    name: &str,
    Collection { layout, .. }: &Collection,
    residues: &mut HashMap<String, Residues<'a>>,
    found: &mut Vec<Record<'a>>,
) -> Result<()> {
    let mut add = |key: Cow<'a, str>, value: Value<'a>, place: Option<u64>| {
        let mut residues = residues.remove(&residue_key(name, &key)).unwrap_or_default();
        residues.place = place.or(residues.place);
        found.push(Record { collection: Cow::Owned(name.to_owned()), key, value, residues, is_aside: false });
    };
    match (line, layout) {
        (Line::Whole { value, .. }, Layout::Record { .. }) => add(Cow::Owned(name.to_owned()), value, None),
        (Line::Whole { key, value }, Layout::Prefix { prefix }) => {
            add(Cow::Owned(key[prefix.len()..].to_owned()), value, None);
        }
        (Line::Items { start, items, .. }, Layout::Array { id, .. }) => {
            for (index, mut item) in (start..).zip(items) {
                let key = record_key(&mut item, id).map_err(|error| error.under_path(format_args!("/{index}")))?;
                add(key, item, Some(index));
            }
        }
        (Line::Members { members, .. }, Layout::Map { .. }) => {
            members.into_iter().for_each(|(key, value)| add(key, value, None));
        }
        (Line::Whole { value, .. }, _) => return Err(misshapen(&value, layout)),
        (Line::Items { .. } | Line::Members { .. } | Line::Record(_), _) => {
            return Err(Error::new(ErrorKind::Snapshot, format!("expected {layout}, found another layout")));
        }
    }
    Ok(())
}

fn misshapen(value: &Value<'_>, layout: &Layout) -> Error {
    Error::new(ErrorKind::Unfit, format!("expected {layout}, found a value of type {}", value.kind()))
}

fn record_key<'a>(item: &mut Value<'a>, id: &crate::document::Path) -> Result<Cow<'a, str>> {
    let key = id.get(item)?.map(|key| key.text()).transpose()?.flatten();
    match key {
        Some(key) => Ok(key),
        None => Err(Error::new(ErrorKind::Unfit, "expected a record with a key, a text, found none").under_path(id)),
    }
}

/// A record whose key is not what its layout makes of it would meet another one there.
pub(super) fn check_key(layout: &Layout, collection: &str, key: &str, value: &mut Value<'_>) -> Result<()> {
    let matches = match layout {
        Layout::Record { .. } => key == collection,
        Layout::Array { id, .. } => {
            id.get(value)?.map(|id| id.text()).transpose()?.flatten().is_some_and(|id| id == key)
        }
        Layout::Map { .. } | Layout::Prefix { .. } => true,
    };
    match matches {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Unfit,
            format!("expected the key that the record has as {layout}, found another"),
        )),
    }
}
