//! Documents that fit a schema, unknown members and all, and edits that keep them fitting.

use exuvia_core::document::{Number, Object, Value};
use exuvia_core::schema::Schema;

use crate::tape::Tape;

/// Names that authors use and names that break careless code. Steps move fields to these, and unknown members have
/// them too.
pub const NAMES: [&str; 14] =
    ["a", "b", "c", "id", "x", "__proto__", "$set", "a.b", "a/b", "~", "", "constructor", "m~0n", LONG];
const LONG: &str =
    "long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long";

const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "2",
    "1.0",
    "-0",
    "1697043600",
    "9007199254740992",
    "9007199254740993",
    "1e308",
    "-1.5",
    "0.1",
    "1697043600.123",
    "-62167219200",
    "12.50e1",
];
const TEXTS: [&str; 14] = [
    "",
    "a",
    "b",
    "u",
    "a, b",
    ", ",
    "a a",
    "2023-10-11T17:00:00Z",
    "2023-10-11T19:00:00.120+02:00",
    "5",
    "true",
    "\u{1f980} crab",
    "e\u{301}",
    "$a",
];

pub fn number(token: &str) -> Value<'static> {
    Value::Number(Number::parse(token).expect("a number"))
}

/// Any value at all.
pub fn anything(tape: &mut Tape<'_>, depth: usize) -> Value<'static> {
    match tape.below(if depth == 0 { 4 } else { 6 }) {
        0 => Value::Null,
        1 => Value::Bool(tape.once_in(2)),
        2 => number(tape.pick(&NUMBERS)),
        3 => Value::from(tape.pick(&TEXTS)),
        4 => Value::Array((0..tape.below(3)).map(|_| anything(tape, depth - 1)).collect()),
        _ => {
            Value::Object((0..tape.below(3)).map(|_| ((tape.pick(&NAMES)).into(), anything(tape, depth - 1))).collect())
        }
    }
}

/// A value nested so deep that a few levels more are too many.
fn deep(levels: usize) -> Value<'static> {
    (0..levels).fold(Value::Null, |inner, _| Value::Array(vec![inner]))
}

/// A schema as its JSON says it: walked as it is, because reading it again at each level would take most of the time.
#[derive(Clone, Copy)]
struct Said<'s>(&'s Value<'static>);

impl<'s> Said<'s> {
    fn get(self, keyword: &str) -> Option<&'s Value<'static>> {
        match self.0 {
            Value::Object(parts) => parts.get(keyword),
            _ => None,
        }
    }

    fn list(self, keyword: &str) -> &'s [Value<'static>] {
        match self.get(keyword) {
            Some(Value::Array(items)) => items,
            _ => &[],
        }
    }

    /// The declared members: name, schema, whether it is required.
    fn members(self) -> Vec<(&'s str, Said<'s>, bool)> {
        let Some(Value::Object(properties)) = self.get("properties") else { return Vec::new() };
        let required = self.list("required");
        properties.iter().map(|(name, said)| (name, Said(said), required.contains(&Value::from(name)))).collect()
    }

    fn types(self) -> Vec<String> {
        let name = |value: &Value<'_>| value.text().ok().flatten().expect("the name of a type").into_owned();
        match self.get("type") {
            Some(Value::Array(names)) => names.iter().map(name).collect(),
            Some(one) => vec![name(one)],
            None => Vec::new(),
        }
    }

    /// The bounds of a count.
    fn span(self, least: &str, most: &str) -> (usize, usize) {
        let bound = |keyword| self.integer(keyword).and_then(|bound| usize::try_from(bound).ok());
        (bound(least).unwrap_or(0), bound(most).unwrap_or(usize::MAX))
    }

    fn integer(self, keyword: &str) -> Option<i64> {
        self.get(keyword)?.number()?.to_i64()
    }
}

static ANYTHING: Value<'static> = Value::Bool(true);

/// A value that fits the schema; `None` where the tape does not find one.
pub fn fitting(schema: &Schema, tape: &mut Tape<'_>) -> Option<Value<'static>> {
    let made = make(Said(&opened(&schema.to_value())), tape, 6)?;
    schema.accepts(&made).then_some(made)
}

fn make(said: Said<'_>, tape: &mut Tape<'_>, depth: usize) -> Option<Value<'static>> {
    let (values, branches) = (said.list("enum"), said.list("anyOf"));
    if !values.is_empty() {
        return Some(tape.pick_ref(values).clone());
    }
    if let Some(value) = said.get("const") {
        return Some(value.clone());
    }
    if !branches.is_empty() {
        return make(Said(tape.pick_ref(branches)), tape, depth);
    }
    let types = said.types();
    match (types.is_empty(), said.get("properties")) {
        (true, None) if *said.0 == Value::Bool(false) => None,
        (true, None) => Some(anything(tape, depth.min(2))),
        (true, Some(_)) => of_type("object", said, tape, depth),
        (false, _) => of_type(&types[tape.below(types.len())], said, tape, depth),
    }
}

fn of_type(name: &str, said: Said<'_>, tape: &mut Tape<'_>, depth: usize) -> Option<Value<'static>> {
    Some(match name {
        "null" => Value::Null,
        "boolean" => Value::Bool(tape.once_in(2)),
        "integer" | "number" => match said.integer("minimum") {
            Some(low) if tape.once_in(2) => Value::from(low),
            _ => number_for(name, said, tape),
        },
        "string" if said.get("format").is_some() => {
            Value::from(tape.pick(&["2023-10-11T17:00:00Z", "1970-01-01T00:00:00.5Z", "2023-10-11T19:00:00+02:00"]))
        }
        "string" => text(said, tape),
        "array" => {
            let items = Said(said.get("items").unwrap_or(&ANYTHING));
            let (least, most) = said.span("minItems", "maxItems");
            let count = least + if tape.once_in(40) { 20 } else { tape.below(4) };
            Value::Array((0..count.min(most)).map(|_| make(items, tape, depth.checked_sub(1)?)).collect::<Option<_>>()?)
        }
        _ => Value::Object(object(said, tape, depth)?),
    })
}

fn text(said: Said<'_>, tape: &mut Tape<'_>) -> Value<'static> {
    let (least, most) = said.span("minLength", "maxLength");
    let fitting: Vec<_> = TEXTS.into_iter().filter(|text| (least..=most).contains(&text.chars().count())).collect();
    match fitting.is_empty() {
        true => Value::from("a".repeat(least).as_str()),
        false => Value::from(tape.pick(&fitting)),
    }
}

fn number_for(name: &str, said: Said<'_>, tape: &mut Tape<'_>) -> Value<'static> {
    let tokens = if name == "integer" { &NUMBERS[..9] } else { &NUMBERS };
    let bound = |keyword, none| said.integer(keyword).map_or(none, |bound| bound as f64);
    let bounds = bound("minimum", f64::MIN)..=bound("maximum", f64::MAX);
    let fitting: Vec<_> =
        tokens.iter().copied().filter(|token| bounds.contains(&token.parse::<f64>().expect("a number"))).collect();
    number(tape.pick(&fitting))
}

fn object(said: Said<'_>, tape: &mut Tape<'_>, depth: usize) -> Option<Object<'static>> {
    let mut object = Object::new();
    for (name, inner, required) in said.members() {
        if required || !tape.once_in(3) {
            object.insert(name.to_owned(), make(inner, tape, depth.checked_sub(1)?)?);
        }
    }
    while tape.once_in(3) {
        add_unknown(&mut object, said, tape, depth);
    }
    Some(object)
}

/// Adds a member that the schema permits and does not declare.
fn add_unknown(object: &mut Object<'static>, said: Said<'_>, tape: &mut Tape<'_>, depth: usize) {
    let name = tape.pick(&NAMES);
    let declared = said.members().iter().any(|(declared, ..)| *declared == name);
    let value = match said.get("additionalProperties") {
        None if tape.once_in(60) => Some(deep(80)),
        None => Some(anything(tape, 2)),
        Some(rest) => depth.checked_sub(1).and_then(|depth| make(Said(rest), tape, depth)),
    };
    if let (Some(value), false) = (value, declared) {
        object.insert(name, value);
    }
}

/// The value without members that the schema does not declare; of an object that is used as a map, without those that
/// are `named`.
pub fn declared(value: &Value<'static>, schema: &Schema, named: &dyn Fn(&str) -> bool) -> Value<'static> {
    let mut value = value.clone();
    strip(&mut value, Said(&opened(&schema.to_value())), named);
    value
}

fn strip(value: &mut Value<'static>, said: Said<'_>, named: &dyn Fn(&str) -> bool) {
    match value {
        Value::Array(items) => {
            let said = Said(said.get("items").unwrap_or(&ANYTHING));
            items.iter_mut().for_each(|item| strip(item, said, named));
        }
        Value::Object(object) => {
            let (members, rest) = (said.members(), said.get("additionalProperties"));
            let names: Vec<_> = object.iter().map(|(name, _)| name.to_owned()).collect();
            for name in names {
                let declared = members.iter().find(|(declared, ..)| *declared == name).map(|(_, said, _)| *said);
                let entry = rest.filter(|_| members.is_empty() && !named(&name)).map(Said);
                match (declared.or(entry), object.get_mut(&name)) {
                    (Some(said), Some(value)) => strip(value, said, named),
                    _ => drop(object.remove(&name)),
                }
            }
        }
        _ => {}
    }
}

/// Whether a schema, or a form of it, declares a member of the record itself.
pub fn declares(schema: &Schema, name: &str) -> bool {
    let said = opened(&schema.to_value());
    let forms = match Said(&said).get("anyOf") {
        Some(Value::Array(forms)) => forms.clone(),
        _ => Vec::new(),
    };
    let mut all = forms.iter().chain([&said]);
    all.any(|form| Said(form).members().iter().any(|(declared, ..)| *declared == name))
}

/// Changes something here and there; the value still fits. What the tape leaves alone stays as it is.
pub fn edit(value: &mut Value<'static>, schema: &Schema, tape: &mut Tape<'_>) {
    let said = opened(&schema.to_value());
    // Small documents are easily left alone.
    for _ in 0..3 {
        let before = value.clone();
        edit_inside(value, Said(&said), tape);
        if !schema.accepts(value) {
            *value = before;
        } else if *value != before {
            return;
        }
    }
}

fn edit_inside(value: &mut Value<'static>, said: Said<'_>, tape: &mut Tape<'_>) {
    if tape.once_in(8)
        && let Some(other) = make(said, tape, 4)
    {
        *value = other;
        return;
    }
    match value {
        Value::Array(items) => edit_items(items, Said(said.get("items").unwrap_or(&ANYTHING)), tape),
        Value::Object(object) => edit_members(object, said, tape),
        _ => {}
    }
}

fn edit_items(items: &mut Vec<Value<'static>>, said: Said<'_>, tape: &mut Tape<'_>) {
    for item in items.iter_mut() {
        edit_inside(item, said, tape);
    }
    if !items.is_empty() && tape.once_in(4) {
        items.remove(tape.below(items.len()));
    }
    if items.len() > 1 && tape.once_in(4) {
        let (from, to) = (tape.below(items.len()), tape.below(items.len()));
        items.swap(from, to);
    }
    if tape.once_in(4)
        && let Some(item) = make(said, tape, 3)
    {
        items.insert(tape.below(items.len() + 1), item);
    }
}

fn edit_members(object: &mut Object<'static>, said: Said<'_>, tape: &mut Tape<'_>) {
    let members = said.members();
    for (name, inner, required) in &members {
        match object.get_mut(name) {
            Some(_) if !required && tape.once_in(8) => drop(object.remove(name)),
            Some(value) => edit_inside(value, *inner, tape),
            None if tape.once_in(4) => {
                if let Some(value) = make(*inner, tape, 3) {
                    object.insert((*name).to_owned(), value);
                }
            }
            None => {}
        }
    }
    let strangers: Vec<_> = object.iter().map(|(name, _)| name.to_owned()).collect();
    for name in strangers.iter().filter(|name| members.iter().all(|(declared, ..)| declared != name)) {
        if tape.once_in(6) {
            object.remove(name);
        }
    }
    if tape.once_in(4) {
        add_unknown(object, said, tape, 3);
    }
}

/// Puts a member with a text of its own into every object that is open to it; answers with the texts.
pub fn mark_objects(value: &mut Value<'static>, schema: &Schema) -> Vec<String> {
    let mut marks = Vec::new();
    mark_inside(value, Said(&opened(&schema.to_value())), &mut marks);
    marks
}

fn mark_inside(value: &mut Value<'static>, said: Said<'_>, marks: &mut Vec<String>) {
    if said.get("enum").or(said.get("const")).is_some() {
        return;
    }
    match value {
        Value::Array(items) => {
            let said = Said(said.get("items").unwrap_or(&ANYTHING));
            items.iter_mut().for_each(|item| mark_inside(item, said, marks));
        }
        Value::Object(object) => {
            for (name, inner, _) in said.members() {
                if let Some(value) = object.get_mut(name) {
                    mark_inside(value, inner, marks);
                }
            }
            if said.get("additionalProperties").is_none() {
                let mark = format!("mark {}", marks.len());
                object.insert(mark.clone(), Value::from(mark.as_str()));
                marks.push(mark);
            }
        }
        _ => {}
    }
}

/// The value opened to its leaves, so that it can be edited.
pub fn opened(value: &Value<'_>) -> Value<'static> {
    value.clone().into_owned().expect("Unicode")
}

/// Every text in the document, with its place as the indices and names that lead there.
pub fn texts(value: &Value<'static>) -> Vec<(Vec<String>, String)> {
    let under = |step: &str, inner: &Value<'static>| {
        texts(inner)
            .into_iter()
            .map(move |(mut path, text)| {
                path.insert(0, step.to_owned());
                (path, text)
            })
            .collect::<Vec<_>>()
    };
    match value {
        Value::String(text) => vec![(Vec::new(), text.to_string())],
        Value::Array(items) => items.iter().enumerate().flat_map(|(i, item)| under(&i.to_string(), item)).collect(),
        Value::Object(object) => object.iter().flat_map(|(name, value)| under(name, value)).collect(),
        _ => Vec::new(),
    }
}

/// Puts a text at a place that [`texts`] named.
pub fn set_text(value: &mut Value<'static>, path: &[String], text: &str) {
    let Some((first, rest)) = path.split_first() else {
        *value = Value::from(text);
        return;
    };
    match value {
        Value::Array(items) => set_text(&mut items[first.parse::<usize>().expect("an index")], rest, text),
        Value::Object(object) => set_text(object.get_mut(first).expect("a member"), rest, text),
        _ => unreachable!("the path was read from this value"),
    }
}
