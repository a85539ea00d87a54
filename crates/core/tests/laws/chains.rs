//! Chains of random steps that load: a schema, then migrations whose steps are proposed at random and kept where the
//! chain takes them.

use std::sync::Arc;

use exuvia_core::chain::{Chain, Lock, Migration, Version};
use exuvia_core::document::{Path, Value};
use exuvia_core::lens::{Custom, Predicate, Undo};
use exuvia_core::schema::{Schema, Type};
use exuvia_core::step::{Steps, manuals};
use exuvia_core::{Error, ErrorKind, Result};

use crate::documents::NAMES;
use crate::tape::Tape;

/// The name of the one collection.
pub const COLLECTION: &str = "c";

/// A chain and its files.
pub struct Sample {
    pub chain: Chain,
    files: Vec<String>,
    steps: Vec<String>,
}

impl std::fmt::Display for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.files.iter().try_for_each(|file| writeln!(f, "{file}"))
    }
}

impl Sample {
    /// A chain of one to four migrations after its first, of steps of any kind.
    pub fn draw(tape: &mut Tape<'_>) -> Self {
        // What holds other steps comes as often as a few of them, so that there is something of every kind in it.
        Self::draw_of(&[&verbs()[..], &["each", "each", "where", "where", "where"]].concat(), tape)
    }

    /// As [`Sample::draw`], of steps of one kind.
    pub fn draw_alone(tape: &mut Tape<'_>) -> Self {
        let verb = tape.pick(&verbs());
        Self::draw_kind(verb, tape)
    }

    /// As [`Sample::draw`], of steps of this kind, and where it only holds others, of one kind that it holds.
    pub fn draw_kind(verb: &str, tape: &mut Tape<'_>) -> Self {
        match verb {
            "each" | "where" => {
                let held = tape.pick(&verbs());
                Self::draw_inside(verb, held, tape)
            }
            _ => Self::draw_of(&[verb], tape),
        }
    }

    /// As [`Sample::draw`], of steps of one kind inside of those of another.
    pub fn draw_inside(holder: &str, verb: &str, tape: &mut Tape<'_>) -> Self {
        match verb {
            "each" | "where" => Self::draw_of(&[holder, verb, "wrap", "add", "custom"], tape),
            _ => Self::draw_of(&[holder, holder, verb, verb, verb], tape),
        }
    }

    /// A chain of one migration of these steps after its first.
    pub fn of(schema: &str, steps: &[&str]) -> Self {
        let mut sample = Self::start(schema);
        sample.files.push(file(1, &steps.iter().map(|step| (*step).to_owned()).collect::<Vec<_>>()));
        sample.chain = load(&sample.files).unwrap_or_else(|error| panic!("{error}\n{sample}"));
        sample
    }

    /// Whether a step of this kind is in it.
    pub fn has(&self, verb: &str) -> bool {
        self.has_step(&format!("{{\"{verb}\":"))
    }

    fn has_step(&self, start: &str) -> bool {
        self.files[1..].iter().any(|file| file.contains(start))
    }

    /// Whether a step of this kind is in it that another kind holds.
    pub fn has_inside(&self, holder: &str, verb: &str) -> bool {
        let holds = |step: &Value<'_>| is_of(step, holder) && steps_in(step).iter().any(|inner| is_of(inner, verb));
        self.steps.iter().any(|step| holds(&Value::parse(step).expect("a step")))
    }

    /// How the chain can be undone.
    pub fn undo(&self) -> Undo {
        self.chain.stages().flat_map(|(_, stage)| stage.told()).map(|told| told.undo).max().unwrap_or_default()
    }

    /// As [`Sample::draw`], of steps that let every value come back as it is.
    pub fn draw_moving(tape: &mut Tape<'_>) -> Self {
        Self::draw_of(&MOVING, tape)
    }

    fn draw_of(verbs: &[&str], tape: &mut Tape<'_>) -> Self {
        let mut sample = Self::start(&draw_record(tape));
        for index in 1..=1 + tape.below(4) {
            sample.grow(index, verbs, tape);
        }
        sample
    }

    fn start(schema: &str) -> Self {
        let first = format!(
            r#"{{"exuvia":1,"id":"m0","collections":{{"{COLLECTION}":{{"layout":{{"prefix":"c:"}},"schema":{schema}}}}}}}"#
        );
        let chain = load(std::slice::from_ref(&first)).unwrap_or_else(|error| panic!("{error}\n{first}"));
        Self { chain, files: vec![first], steps: Vec::new() }
    }

    /// Adds a migration of steps that fit. Most proposals do not.
    fn grow(&mut self, index: usize, verbs: &[&str], tape: &mut Tape<'_>) {
        let mut schema = self.schema(self.chain.tip()).clone();
        let mut steps = Vec::new();
        for _ in 0..1 + tape.below(3) {
            let fitting = (0..8).find_map(|_| {
                let step = propose(&schema, verbs, tape, 2);
                carry(&schema, &step).map(|after| (step, after))
            });
            let Some((step, after)) = fitting else { continue };
            steps.push(step);
            schema = after;
        }
        self.files.push(file(index, &steps));
        self.steps.append(&mut steps);
        self.chain = load(&self.files).unwrap_or_else(|error| panic!("{error}\n{self}"));
    }

    /// The same steps, each in a migration of its own.
    pub fn apart(&self) -> Self {
        let mut files = vec![self.files[0].clone()];
        let each = self.steps.iter().enumerate();
        files.extend(each.map(|(index, step)| file(index + 1, std::slice::from_ref(step))));
        let chain = load(&files).unwrap_or_else(|error| panic!("{error}\n{self}"));
        Self { chain, files, steps: self.steps.clone() }
    }

    pub fn schema(&self, version: Version) -> &Schema {
        &self.chain.collection(COLLECTION, version).expect("the collection").schema
    }

    /// Whether the place of any step is the record itself.
    pub fn changes_whole_records(&self) -> bool {
        manuals().any(|(verb, _)| self.has_step(&format!("{{\"{verb}\":\"\"")))
    }

    /// Whether a name is in any step.
    pub fn names(&self, name: &str) -> bool {
        let token = name.replace('~', "~0").replace('/', "~1");
        self.files[1..].iter().any(|file| file.contains(&token) || file.contains(&format!("{name:?}")))
    }
}

/// A schema, read.
pub fn schema(text: &str) -> Schema {
    Schema::read(&Value::parse(text).expect("JSON")).expect("a schema")
}

fn is_of(step: &Value<'_>, verb: &str) -> bool {
    matches!(step.opened(), Ok(Value::Object(step)) if step.get(verb).is_some())
}

fn steps_in<'a>(step: &Value<'a>) -> Vec<Value<'a>> {
    let Ok(Value::Object(mut step)) = step.opened() else { return Vec::new() };
    match step.remove("do").map(|steps| steps.opened()) {
        Some(Ok(Value::Array(steps))) => steps,
        _ => Vec::new(),
    }
}

/// The schema after a step, where the step fits.
pub fn carry(schema: &Schema, step: &str) -> Option<Schema> {
    let mut after = schema.clone();
    Steps::read(&Value::parse(&format!("[{step}]")).ok()?).ok()?.lower(&mut after).ok()?;
    Some(after)
}

fn file(index: usize, steps: &[String]) -> String {
    let parent = index - 1;
    let steps = steps.join(",");
    format!(r#"{{"exuvia":1,"id":"m{index}","parents":["m{parent}"],"change":{{"{COLLECTION}":[{steps}]}}}}"#)
}

pub fn load(files: &[String]) -> Result<Chain> {
    let migrations = files.iter().map(|file| Migration::parse(file)).collect::<Result<_, _>>()?;
    let mut chain = Chain::arrange(migrations, &Lock::default())?;
    chain.register(Arc::new(Fold));
    Ok(chain)
}

/// A schema of records: of one form, or of two that a member tells apart.
fn draw_record(tape: &mut Tape<'_>) -> String {
    match tape.once_in(8) {
        false => draw_object(tape, 3),
        true => draw_forms(tape, 3),
    }
}

fn draw_forms(tape: &mut Tape<'_>, depth: usize) -> String {
    let mut form = |tag: &str| with(&draw_object(tape, depth), "id", tag, true);
    let (a, b) = (form(r#"{"const":"a"}"#), form(r#"{"enum":["b","u"]}"#));
    format!(r#"{{"anyOf":[{a},{b}]}}"#)
}

/// An object schema with one member more.
pub fn with(schema: &str, name: &str, member: &str, required: bool) -> String {
    let value = |text: &str| Value::parse(text).and_then(Value::into_owned).expect("JSON");
    let Value::Object(mut object) = value(schema) else { unreachable!("an object") };
    let Some(Value::Object(properties)) = object.get_mut("properties") else { unreachable!("it declares members") };
    properties.insert(name.to_owned(), value(member));
    if let (true, Some(Value::Array(names))) = (required, object.get_mut("required"))
        && !names.contains(&Value::from(name))
    {
        names.push(Value::from(name));
    }
    Value::Object(object).to_json()
}

/// A schema of objects, as JSON.
pub fn draw_object(tape: &mut Tape<'_>, depth: usize) -> String {
    let mut names: Vec<&str> = Vec::new();
    for _ in 0..1 + tape.below(4) {
        let name = tape.pick(&NAMES);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let members: Vec<_> = names.iter().map(|name| format!("{name:?}:{}", draw_schema(tape, depth - 1))).collect();
    let required: Vec<_> = names.iter().filter(|_| !tape.once_in(3)).map(|name| format!("{name:?}")).collect();
    let closed = match tape.below(6) {
        5 => r#","additionalProperties":false"#,
        4 => r#","additionalProperties":{"type":["string","number"]}"#,
        _ => "",
    };
    let (members, required) = (members.join(","), required.join(","));
    format!(r#"{{"type":"object","properties":{{{members}}},"required":[{required}]{closed}}}"#)
}

fn draw_schema(tape: &mut Tape<'_>, depth: usize) -> String {
    let flat = [
        r#"{"type":"string"}"#,
        r#"{"type":"number"}"#,
        r#"{"type":"integer"}"#,
        r#"{"type":"boolean"}"#,
        r#"{"type":"string","enum":["a","b","u"]}"#,
        r#"{"type":["string","null"]}"#,
        r#"{"type":"string","format":"date-time"}"#,
        r#"{"type":"number","minimum":-62167219200,"maximum":253402300799}"#,
        r#"{"type":"array","items":{"type":"string"}}"#,
        r#"{"type":["array","string"],"items":{"type":"string"}}"#,
        r#"{"enum":["true","false"]}"#,
        r#"{"enum":[0,1]}"#,
        r#"{"type":["boolean","null"]}"#,
        r#"{"type":"string","maxLength":3}"#,
        "true",
        r#"{"type":"array"}"#,
        r#"{"type":"object"}"#,
        r#"{"type":["object","string"]}"#,
        r#"{"type":["string","number"]}"#,
        r#"{"type":["number","null"],"minimum":0}"#,
        r#"{"type":["string","null"],"format":"date-time"}"#,
        r#"{"type":"string","minLength":1}"#,
        r#"{"enum":["a","b",null,1]}"#,
        r#"{"const":"a"}"#,
        r#"{"enum":[[],["a"],"b"]}"#,
        r#"{"enum":[{},{"x":1}]}"#,
        r#"{"type":["array","object"],"items":{"type":"string"},"additionalProperties":{"type":"string"}}"#,
        r#"{"type":"array","items":{"type":"string"},"minItems":1}"#,
    ];
    if depth == 0 {
        return tape.pick(&flat).to_owned();
    }
    match tape.below(12) {
        0 => draw_object(tape, depth),
        1 => format!(r#"{{"type":"array","items":{}}}"#, draw_keyed(tape, depth)),
        2 => format!(r#"{{"type":"object","additionalProperties":{}}}"#, draw_schema(tape, depth - 1)),
        3 => format!(r#"{{"type":"object","additionalProperties":{}}}"#, draw_object(tape, depth)),
        4 => format!(r#"{{"type":["array","null"],"items":{}}}"#, draw_schema(tape, depth - 1)),
        5 => draw_forms(tape, depth),
        6 => format!(r#"{{"anyOf":[{},{{"type":["null","string"]}}]}}"#, draw_object(tape, depth)),
        _ => tape.pick(&flat).to_owned(),
    }
}

/// A schema of objects that may have a text as their key.
fn draw_keyed(tape: &mut Tape<'_>, depth: usize) -> String {
    match tape.once_in(2) {
        true => draw_object(tape, depth),
        false => format!(
            r#"{{"type":"object","required":["id"],"properties":{{"id":{{"type":"string"}},"x":{}}}}}"#,
            draw_schema(tape, depth - 1)
        ),
    }
}

/// Every declared place in a schema, outermost first, with what it says there.
fn places(schema: &Schema, at: &Path) -> Vec<(Path, Schema)> {
    let Ok(Value::Object(parts)) = schema.to_value().into_owned() else { return Vec::new() };
    let Some(Value::Object(properties)) = parts.get("properties") else { return Vec::new() };
    let inner = properties.iter().flat_map(|(name, value)| {
        let (path, schema) = (at.join(name), Schema::read(value).expect("a schema that was written"));
        let mut found = vec![(path.clone(), schema.clone())];
        found.extend(places(&schema, &path));
        found
    });
    inner.collect()
}

/// A step that may fit the schema. `depth` bounds the steps inside it.
pub fn propose(schema: &Schema, verbs: &[&str], tape: &mut Tape<'_>, depth: usize) -> String {
    let mut places = places(schema, &Path::default());
    if !schema.types().only_object() || tape.once_in(6) {
        places.push((Path::default(), schema.clone()));
    }
    let verb = tape.pick(verbs);
    Proposal { schema, places: &places, verbs, tape, depth }
        .make(verb)
        .unwrap_or_else(|| r#"{"remove":"/nothing"}"#.to_owned())
}

/// The verbs of all kinds.
pub fn verbs() -> Vec<&'static str> {
    manuals().map(|(verb, _)| verb).collect()
}

const MOVING: [&str; 8] = ["rename", "rename_fields", "move", "nest", "flatten", "add", "remove", "each"];

/// Folds texts, and so forgets which of several they were; knows no way back for some.
#[derive(Debug)]
struct Fold;

impl Custom for Fold {
    fn name(&self) -> &str {
        "fold"
    }

    fn revision(&self) -> u32 {
        3
    }

    fn is_reversible(&self) -> bool {
        true
    }

    fn up<'a>(&self, value: Value<'a>) -> Result<Value<'a>> {
        let text = value.text()?.map_or_else(|| value.to_json(), |text| text.to_lowercase());
        Ok(Value::from(text.trim()))
    }

    fn down<'a>(&self, value: Value<'a>) -> Result<Value<'a>> {
        match value.text()? {
            Some(text) if !text.is_empty() => Ok(Value::from(&*text)),
            _ => Err(Error::new(ErrorKind::Unfit, "expected a text with something in it, found none")),
        }
    }
}

struct Proposal<'p, 't, 'c> {
    schema: &'p Schema,
    verbs: &'p [&'p str],
    places: &'p [(Path, Schema)],
    tape: &'t mut Tape<'c>,
    depth: usize,
}

impl Proposal<'_, '_, '_> {
    fn make(&mut self, verb: &str) -> Option<String> {
        Some(match verb {
            "rename" => {
                let from = self.place(None)?;
                format!(r#"{{"rename":{},"to":{}}}"#, quoted(&from), quoted(&self.sibling(&from)?))
            }
            "move" => format!(r#"{{"move":{},"to":{}}}"#, quoted(&self.place(None)?), quoted(&self.free()?)),
            "nest" => {
                let fields: Vec<_> = (0..1 + self.tape.below(2)).map(|_| self.place(None)).collect::<Option<_>>()?;
                let fields: Vec<_> = fields.iter().map(quoted).collect();
                format!(r#"{{"nest":[{}],"under":{}}}"#, fields.join(","), quoted(&self.free()?))
            }
            "rename_fields" => self.rename_fields()?,
            "flatten" => format!(r#"{{"flatten":{}}}"#, quoted(&self.place(Some(Type::Object))?)),
            "copy" => {
                let sources = self.list_of_places()?;
                let otherwise = self.maybe("else");
                format!(r#"{{"copy":[{sources}],"to":{}{otherwise}}}"#, quoted(&self.free()?))
            }
            "coalesce" => self.coalesce()?,
            "add" => format!(r#"{{"add":{},{}{}}}"#, quoted(&self.free()?), self.supply(), self.later()),
            "set" => {
                let (back, later) = (self.maybe("back"), self.later());
                format!(r#"{{"set":{},{}{later}{back}}}"#, quoted(&self.place(None)?), self.supply())
            }
            "remove" => {
                let back = self.maybe("back");
                format!(r#"{{"remove":{}{back}}}"#, quoted(&self.place(None)?))
            }
            "map" => self.map()?,
            "convert" => self.convert()?,
            "not" => format!(r#"{{"not":{}}}"#, quoted(&self.place(Some(Type::Boolean))?)),
            "split" => {
                let by = if self.tape.once_in(2) { "a" } else { ", " };
                format!(r#"{{"split":{},"by":"{by}"}}"#, quoted(&self.place(Some(Type::String))?))
            }
            "join" => {
                let by = if self.tape.once_in(2) { "a" } else { ", " };
                format!(r#"{{"join":{},"by":"{by}"}}"#, quoted(&self.place(Some(Type::Array))?))
            }
            "replace" => self.replace()?,
            "truncate" => {
                let (at, to) = (self.place(Some(Type::String))?, self.tape.pick(&["0", "1", "3", "30"]));
                format!(r#"{{"truncate":{},"to":{to}}}"#, quoted(&at))
            }
            "wrap" => {
                let (at, name, back) = (self.place(None)?, self.tape.pick(&NAMES), self.maybe("back"));
                match self.tape.once_in(2) {
                    true => format!(r#"{{"wrap":{},"in":"list"{back}}}"#, quoted(&at)),
                    false => format!(r#"{{"wrap":{},"in":"object","name":{name:?}}}"#, quoted(&at)),
                }
            }
            "unwrap" => self.unwrap()?,
            "where" => self.where_holds()?,
            "insert_item" => self.insert_item()?,
            "remove_item" => {
                let (at, key) = (self.place(Some(Type::Array))?, self.literal());
                format!(r#"{{"remove_item":{},"by":"/{}","key":{key}}}"#, quoted(&at), self.tape.pick(&["id", "a"]))
            }
            "array_to_map" => {
                let (at, spare) = (self.place(Some(Type::Array))?, self.tape.pick(&["error", "first", "last"]));
                format!(
                    r#"{{"array_to_map":{},"by":"/{}","spare":"{spare}"}}"#,
                    quoted(&at),
                    self.tape.pick(&["id", "a"])
                )
            }
            "map_to_array" => {
                let (at, spare) = (self.place(Some(Type::Object))?, self.tape.pick(&["first", "last"]));
                format!(
                    r#"{{"map_to_array":{},"by":"/{}","spare":"{spare}"}}"#,
                    quoted(&at),
                    self.tape.pick(&["id", "k"])
                )
            }
            "pick" => {
                let at = self.object();
                let (one, two) = (self.tape.pick(&NAMES), self.tape.pick(&NAMES));
                format!(r#"{{"pick":{},"keep":[{one:?},{two:?}]}}"#, quoted(&at))
            }
            "partition" => {
                let (at, to) = (self.object(), self.free()?);
                format!(
                    r#"{{"partition":{},"prefix":{:?},"to":{}}}"#,
                    quoted(&at),
                    self.tape.pick(&["a", "$", "c"]),
                    quoted(&to)
                )
            }
            "custom" => {
                let at = quoted(&self.place(Some(Type::String))?);
                format!(r#"{{"custom":{at},"name":"fold","revision":3,"back":"A","examples":[["A","a"]]}}"#)
            }
            "each" => self.each()?,
            _ => return None,
        })
    }

    /// Nothing, or a member with a value.
    fn maybe(&mut self, name: &str) -> String {
        if self.tape.once_in(3) { String::new() } else { format!(r#","{name}":{}"#, self.literal()) }
    }

    /// Sometimes, what later values may be.
    fn later(&mut self) -> &'static str {
        self.tape.pick(&[
            "",
            "",
            "",
            r#","schema":true"#,
            r#","schema":{"type":["string","null"]}"#,
            r#","schema":{"type":"object","properties":{"x":{"type":"number"}}}"#,
            r#","schema":{"type":"array","items":{"type":"string"}}"#,
        ])
    }

    fn supply(&mut self) -> String {
        match self.tape.below(5) {
            3 => format!(r#""make":{{"now":"{}"}}"#, self.format()),
            4 => r#""make":{"key":"k-"}"#.to_owned(),
            _ => format!(r#""value":{}"#, self.literal()),
        }
    }

    fn list_of_places(&mut self) -> Option<String> {
        let places: Vec<_> = (0..1 + self.tape.below(3)).map(|_| self.place(None)).collect::<Option<_>>()?;
        Some(places.iter().map(quoted).collect::<Vec<_>>().join(","))
    }

    /// The record, or an object in it.
    fn object(&mut self) -> Path {
        if self.tape.once_in(2) { Path::default() } else { self.place(Some(Type::Object)).unwrap_or_default() }
    }

    fn rename_fields(&mut self) -> Option<String> {
        let at = self.object();
        let inside = self.places.iter().filter(|(path, _)| path.split_last().is_some_and(|(parent, _)| parent == at));
        let names: Vec<_> = inside.filter_map(|(path, _)| Some(path.split_last()?.1.to_owned())).take(2).collect();
        let table: Vec<_> = names.iter().map(|name| format!("{name:?}:{:?}", self.tape.pick(&NAMES))).collect();
        Some(format!(r#"{{"rename_fields":{},"table":{{{}}}}}"#, quoted(&at), table.join(",")))
    }

    /// Siblings, and one of them or another name as the target.
    fn coalesce(&mut self) -> Option<String> {
        let (first, schema) = (!self.places.is_empty()).then(|| self.tape.pick_ref(self.places).clone())?;
        let parent = first.split_last()?.0;
        let is_sibling = |path: &Path| path.split_last().is_some_and(|(other, _)| other == parent) && *path != first;
        let alike = |other: &Schema| schema.includes(other) || other.includes(&schema);
        let siblings = self.places.iter().filter(|(path, schema)| is_sibling(path) && alike(schema));
        let siblings: Vec<_> = siblings.take(2).collect();
        let mut sources = vec![first.clone()];
        sources.extend(siblings.into_iter().map(|(path, _)| path.clone()));
        let to = match self.tape.once_in(3) {
            true => self.sibling(&first)?,
            false => self.tape.pick_ref(&sources).clone(),
        };
        let sources: Vec<_> = sources.iter().map(quoted).collect();
        Some(format!(r#"{{"coalesce":[{}],"to":{}}}"#, sources.join(","), quoted(&to)))
    }

    fn convert(&mut self) -> Option<String> {
        if self.tape.once_in(2) {
            let (from, to) = (self.format(), self.format());
            let ty = if from == "iso" { Type::String } else { Type::Number };
            return Some(format!(r#"{{"convert":{},"from":"{from}","to":"{to}"}}"#, quoted(&self.place(Some(ty))?)));
        }
        let scalars = [("string", Type::String), ("number", Type::Number), ("boolean", Type::Boolean)];
        let ((from, ty), (to, _)) = (self.tape.pick(&scalars), self.tape.pick(&scalars));
        let (at, otherwise, back) = (self.place(Some(ty))?, self.maybe("else"), self.maybe("back"));
        Some(format!(r#"{{"convert":{},"from":"{from}","to":"{to}"{otherwise}{back}}}"#, quoted(&at)))
    }

    fn replace(&mut self) -> Option<String> {
        let at = self.place(Some(Type::String))?;
        let (find, with) = (self.tape.pick(&["a", ", ", "e\u{301}", "20"]), self.tape.pick(&["", "b", "aa", "$a"]));
        let anchor = self.tape.pick(&["anywhere", "start", "end"]);
        let back = if self.tape.once_in(2) { r#","back":"keep""# } else { "" };
        Some(format!(r#"{{"replace":{},"find":{find:?},"with":{with:?},"at":"{anchor}"{back}}}"#, quoted(&at)))
    }

    fn unwrap(&mut self) -> Option<String> {
        if self.tape.once_in(2) {
            let (at, otherwise) = (self.place(Some(Type::Array))?, self.maybe("else"));
            return Some(format!(r#"{{"unwrap":{},"in":"list"{otherwise}}}"#, quoted(&at)));
        }
        let inside: Vec<_> = self.places.iter().filter(|(path, _)| path.tokens().len() > 1).collect();
        let (path, _) = (!inside.is_empty()).then(|| self.tape.pick(&inside))?;
        let (at, name) = path.split_last()?;
        Some(format!(r#"{{"unwrap":{},"in":"object","name":{name:?}}}"#, quoted(&at)))
    }

    fn where_holds(&mut self) -> Option<String> {
        let depth = self.depth.checked_sub(1)?;
        let predicate = self.predicate(1)?;
        let steps = self.inside(&self.schema.narrow(&predicate, true), depth)?;
        let after = match self.tape.below(5) {
            0 | 1 => String::new(),
            2 => format!(r#","after":{}"#, written(&self.predicate(1)?)),
            3 => r#","after":{"or":[]}"#.to_owned(),
            _ => r#","after":{"and":[]}"#.to_owned(),
        };
        Some(format!(r#"{{"where":{}{after},"do":[{steps}]}}"#, written(&predicate)))
    }

    /// Steps that fit, one after the other, with another focus.
    fn inside(&mut self, schema: &Schema, depth: usize) -> Option<String> {
        let mut schema = schema.clone();
        let mut steps = Vec::new();
        for _ in 0..1 + self.tape.below(2) {
            let fitting = (0..8).find_map(|_| {
                let step = propose(&schema, self.verbs, self.tape, depth);
                carry(&schema, &step).map(|after| (step, after))
            });
            let Some((step, after)) = fitting else { continue };
            steps.push(step);
            schema = after;
        }
        (!steps.is_empty()).then(|| steps.join(","))
    }

    fn predicate(&mut self, depth: usize) -> Option<Predicate> {
        let (path, schema) = (!self.places.is_empty()).then(|| self.tape.pick_ref(self.places).clone())?;
        let value = |text: &str| Value::parse(text).and_then(Value::into_owned).expect("JSON");
        Some(match self.tape.below(if depth == 0 { 5 } else { 8 }) {
            0 => {
                let values = schema.values().unwrap_or_default();
                let one = if values.is_empty() { value(self.literal()) } else { self.tape.pick_ref(values).clone() };
                Predicate::In(path, vec![one])
            }
            1 => Predicate::In(path, vec![value(self.literal()), value(self.literal())]),
            2 if path != Path::default() => Predicate::Exists(path),
            // One of the types that may be there, so that both branches have something.
            2 | 3 => {
                let types: Vec<_> = schema.types().iter().collect();
                Predicate::Type(path, (!types.is_empty()).then(|| self.tape.pick(&types))?.into())
            }
            4 => {
                let name = self.tape.pick(&["null", "boolean", "integer", "number", "string", "array", "object"]);
                Predicate::Type(path, Type::parse(name).expect("a type").into())
            }
            5 => Predicate::Not(Box::new(self.predicate(depth - 1)?)),
            6 => Predicate::And(vec![self.predicate(depth - 1)?, self.predicate(depth - 1)?]),
            _ => Predicate::Or(vec![self.predicate(depth - 1)?, self.predicate(depth - 1)?]),
        })
    }

    fn insert_item(&mut self) -> Option<String> {
        let at = self.place(Some(Type::Array))?;
        let place = self.tape.pick(&[r#""first""#, r#""last""#, r#"{"after":"a"}"#]);
        let item =
            self.tape.pick(&[r#"{"id":"a"}"#, r#"{"id":"a","x":"b"}"#, r#"{"id":"u","a":1}"#, r#"{"id":"","x":1}"#]);
        Some(format!(r#"{{"insert_item":{},"by":"/id","item":{item},"place":{place}}}"#, quoted(&at)))
    }

    fn map(&mut self) -> Option<String> {
        let at = quoted(&self.place(Some(Type::String))?);
        Some(match self.tape.below(4) {
            0 => format!(r#"{{"map":{at},"table":{{"a":"u"}},"else":"keep"}}"#),
            1 => format!(r#"{{"map":{at},"table":{{"a":"u"}},"else":"keep","back":{{"u":"b","else":"a"}}}}"#),
            2 => format!(r#"{{"map":{at},"table":{{"a":"b","b":1,"u":null}},"back":{{"else":"a"}}}}"#),
            _ => format!(r#"{{"map":{at},"table":{{"a":"b"}},"else":{{"value":"u"}},"back":{{"else":"b"}}}}"#),
        })
    }

    fn each(&mut self) -> Option<String> {
        let depth = self.depth.checked_sub(1)?;
        let containers: Vec<_> = self.places.iter().filter_map(|(at, schema)| Some((at, schema.inner()?))).collect();
        let (at, inner) = (!containers.is_empty()).then(|| self.tape.pick_ref(&containers).clone())?;
        let steps = self.inside(&inner, depth)?;
        let by = if self.tape.once_in(3) { r#","by":"/id""# } else { "" };
        Some(format!(r#"{{"each":{}{by},"do":[{steps}]}}"#, quoted(at)))
    }

    /// A declared place, of one type where one is wanted.
    fn place(&mut self, ty: Option<Type>) -> Option<Path> {
        let fits = |schema: &Schema| {
            ty.is_none_or(|ty| {
                schema.types().include(ty) || ty == Type::Number && schema.types().include(Type::Integer)
            })
        };
        let fitting: Vec<_> = self.places.iter().filter(|(_, schema)| fits(schema)).collect();
        (!fitting.is_empty()).then(|| self.tape.pick(&fitting).0.clone())
    }

    /// A name in the focus or in an object somewhere.
    fn free(&mut self) -> Option<Path> {
        let name = self.tape.pick(&NAMES);
        let objects: Vec<_> = self.places.iter().filter(|(_, schema)| schema.types().include(Type::Object)).collect();
        let parent = match objects.is_empty() || self.tape.once_in(2) {
            true => Path::default(),
            false => self.tape.pick(&objects).0.clone(),
        };
        let parent = if self.tape.once_in(5) { parent.join(self.tape.pick(&NAMES)) } else { parent };
        Some(parent.join(name))
    }

    fn sibling(&mut self, path: &Path) -> Option<Path> {
        Some(path.split_last()?.0.join(self.tape.pick(&NAMES)))
    }

    fn literal(&mut self) -> &'static str {
        self.tape.pick(&[
            "null",
            "0",
            "\"a\"",
            "\"\"",
            "false",
            "[]",
            "{}",
            "{\"x\":1}",
            "9007199254740993",
            "\"2023-10-11T17:00:00Z\"",
        ])
    }

    fn format(&mut self) -> &'static str {
        self.tape.pick(&["epoch-s", "epoch-ms", "iso"])
    }
}

/// A predicate as authors write it.
fn written(predicate: &Predicate) -> String {
    let all = |of: &[Predicate]| of.iter().map(written).collect::<Vec<_>>().join(",");
    match predicate {
        Predicate::In(path, values) => match &values[..] {
            [value] => format!(r#"{{"equals":{},"value":{}}}"#, quoted(path), value.to_json()),
            values => format!(r#"{{"in":{},"values":{}}}"#, quoted(path), Value::Array(values.to_vec()).to_json()),
        },
        Predicate::Exists(path) => format!(r#"{{"exists":{}}}"#, quoted(path)),
        Predicate::Type(path, types) => {
            let names: Vec<_> = types.names().map(|name| format!("{name:?}")).collect();
            format!(r#"{{"type":{},"is":[{}]}}"#, quoted(path), names.join(","))
        }
        Predicate::And(of) => format!(r#"{{"and":[{}]}}"#, all(of)),
        Predicate::Or(of) => format!(r#"{{"or":[{}]}}"#, all(of)),
        Predicate::Not(other) => format!(r#"{{"not":{}}}"#, written(other)),
    }
}

fn quoted(path: &Path) -> String {
    format!("{:?}", path.to_string())
}
