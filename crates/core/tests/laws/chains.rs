//! Chains of random steps that load: a schema, then migrations whose steps are proposed at random and kept where the
//! chain takes them.

use std::sync::Arc;

use exuvia_core::chain::{Chain, Lock, Migration, Version};
use exuvia_core::document::{Path, Value};
use exuvia_core::lens::{Custom, Undo};
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
}

impl std::fmt::Display for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.files.iter().try_for_each(|file| writeln!(f, "{file}"))
    }
}

impl Sample {
    /// A chain of one to four migrations after its first, of steps of any kind.
    pub fn draw(tape: &mut Tape<'_>) -> Self {
        Self::draw_of(&verbs(), tape)
    }

    /// As [`Sample::draw`], of steps of one kind.
    pub fn draw_alone(tape: &mut Tape<'_>) -> Self {
        let verb = tape.pick(&verbs());
        Self::draw_kind(verb, tape)
    }

    /// As [`Sample::draw`], of steps of this kind, and where it only holds others, of those that it holds.
    pub fn draw_kind(verb: &str, tape: &mut Tape<'_>) -> Self {
        match verb {
            "each" | "where" => Self::draw_of(&[verb, verb, "rename", "map", "wrap", "add"], tape),
            _ => Self::draw_of(&[verb], tape),
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
        self.files[1..].iter().any(|file| file.contains(&format!("{{\"{verb}\":")))
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
        let mut sample = Self::start(&draw_object(tape, 3));
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
        Self { chain, files: vec![first] }
    }

    /// Adds a migration of steps that fit. Most proposals do not.
    fn grow(&mut self, index: usize, verbs: &[&str], tape: &mut Tape<'_>) {
        let mut schema = self.schema(self.chain.tip()).clone();
        let mut steps = Vec::new();
        for _ in 0..1 + tape.below(3) {
            let fitting = (0..4).find_map(|_| {
                let step = propose(&schema, verbs, tape, 2);
                carry(&schema, &step).map(|after| (step, after))
            });
            let Some((step, after)) = fitting else { continue };
            steps.push(step);
            schema = after;
        }
        self.files.push(file(index, &steps));
        self.chain = load(&self.files).unwrap_or_else(|error| panic!("{error}\n{self}"));
    }

    pub fn schema(&self, version: Version) -> &Schema {
        &self.chain.collection(COLLECTION, version).expect("the collection").schema
    }

    /// Whether a name is in any step.
    pub fn names(&self, name: &str) -> bool {
        let token = name.replace('~', "~0").replace('/', "~1");
        self.files[1..].iter().any(|file| file.contains(&token) || file.contains(&format!("{name:?}")))
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
    ];
    if depth == 0 {
        return tape.pick(&flat).to_owned();
    }
    match tape.below(8) {
        0 => draw_object(tape, depth),
        1 => format!(r#"{{"type":"array","items":{}}}"#, draw_keyed(tape, depth)),
        2 => format!(r#"{{"type":"object","additionalProperties":{}}}"#, draw_schema(tape, depth - 1)),
        3 => format!(r#"{{"type":"object","additionalProperties":{}}}"#, draw_object(tape, depth)),
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
    let places = places(schema, &Path::default());
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
            "add" => format!(r#"{{"add":{},{}}}"#, quoted(&self.free()?), self.supply()),
            "set" => {
                let back = self.maybe("back");
                format!(r#"{{"set":{},{}{back}}}"#, quoted(&self.place(None)?), self.supply())
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
        let narrowed = self.schema.clone();
        let steps: Vec<_> =
            (0..1 + self.tape.below(2)).map(|_| propose(&narrowed, self.verbs, self.tape, depth)).collect();
        let after = match self.tape.below(4) {
            0 => String::new(),
            1 => format!(r#","after":{}"#, self.predicate(1)?),
            2 => r#","after":{"or":[]}"#.to_owned(),
            _ => r#","after":{"and":[]}"#.to_owned(),
        };
        Some(format!(r#"{{"where":{predicate}{after},"do":[{}]}}"#, steps.join(",")))
    }

    fn predicate(&mut self, depth: usize) -> Option<String> {
        let (at, schema) = (!self.places.is_empty()).then(|| self.tape.pick_ref(self.places).clone())?;
        let path = quoted(&at);
        Some(match self.tape.below(if depth == 0 { 4 } else { 7 }) {
            0 => {
                let values = schema.values().unwrap_or_default();
                let value =
                    if values.is_empty() { self.literal().to_owned() } else { self.tape.pick_ref(values).to_json() };
                format!(r#"{{"equals":{path},"value":{value}}}"#)
            }
            1 => format!(r#"{{"in":{path},"values":[{},{}]}}"#, self.literal(), self.literal()),
            2 => format!(r#"{{"exists":{path}}}"#),
            3 => {
                let ty = self.tape.pick(&["null", "boolean", "integer", "number", "string", "array", "object"]);
                format!(r#"{{"type":{path},"is":"{ty}"}}"#)
            }
            4 => format!(r#"{{"not":{}}}"#, self.predicate(depth - 1)?),
            5 => format!(r#"{{"and":[{},{}]}}"#, self.predicate(depth - 1)?, self.predicate(depth - 1)?),
            _ => format!(r#"{{"or":[{},{}]}}"#, self.predicate(depth - 1)?, self.predicate(depth - 1)?),
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
        let containers: Vec<_> = self.places.iter().filter(|(_, schema)| schema.inner().is_some()).collect();
        let (at, schema) = (!containers.is_empty()).then(|| self.tape.pick(&containers))?;
        let steps: Vec<_> = (0..1 + self.tape.below(2))
            .map(|_| Some(propose(schema.inner()?, self.verbs, self.tape, depth)))
            .collect::<Option<_>>()?;
        let by = if self.tape.once_in(3) { r#","by":"/id""# } else { "" };
        Some(format!(r#"{{"each":{}{by},"do":[{}]}}"#, quoted(at), steps.join(",")))
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

fn quoted(path: &Path) -> String {
    format!("{:?}", path.to_string())
}
