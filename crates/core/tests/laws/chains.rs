//! Chains of random steps that load: a schema, then migrations whose steps are proposed at random and kept where the
//! chain takes them.

use exuvia_core::chain::{Chain, Lock, Migration, Version};
use exuvia_core::document::{Path, Value};
use exuvia_core::schema::{Schema, Type};
use exuvia_core::step::Steps;

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
        Self::draw_of(&VERBS, tape)
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
        self.files[1..].iter().any(|file| file.contains(&token))
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

pub fn load(files: &[String]) -> Result<Chain, exuvia_core::Error> {
    let migrations = files.iter().map(|file| Migration::parse(file)).collect::<Result<_, _>>()?;
    Chain::arrange(migrations, &Lock::default())
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
    Proposal { places: &places, verbs, tape, depth }.make(verb).unwrap_or_else(|| r#"{"remove":"/nothing"}"#.to_owned())
}

pub const VERBS: [&str; 9] = ["rename", "move", "nest", "add", "remove", "map", "convert", "split", "each"];

const MOVING: [&str; 6] = ["rename", "move", "nest", "add", "remove", "each"];

struct Proposal<'p, 't, 'c> {
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
            "add" => format!(r#"{{"add":{},"value":{}}}"#, quoted(&self.free()?), self.literal()),
            "remove" => {
                let back = if self.tape.once_in(3) { String::new() } else { format!(r#","back":{}"#, self.literal()) };
                format!(r#"{{"remove":{}{back}}}"#, quoted(&self.place(None)?))
            }
            "map" => self.map()?,
            "convert" => {
                let (from, to) = (self.format(), self.format());
                let ty = if from == "iso" { Type::String } else { Type::Number };
                format!(r#"{{"convert":{},"from":"{from}","to":"{to}"}}"#, quoted(&self.place(Some(ty))?))
            }
            "split" => {
                let by = if self.tape.once_in(2) { "a" } else { ", " };
                format!(r#"{{"split":{},"by":"{by}"}}"#, quoted(&self.place(Some(Type::String))?))
            }
            "each" => self.each()?,
            _ => return None,
        })
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
            .map(|_| propose(schema.inner()?, self.verbs, self.tape, depth).into())
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
