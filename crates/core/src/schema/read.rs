use std::collections::BTreeSet;

use super::parts::some_unless_any;
use super::{Member, Schema, Shape, Type, Types};
use crate::document::{Kind, Number, Object, Path, Value};
use crate::error::{Error, ErrorKind, Result};

/// The only dialect that is read.
pub(super) const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Definitions are copied to where they are referenced; a few that reference each other could fill the memory.
const MOST_PARTS: usize = 20_000;

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] with the path of a keyword that is unknown or malformed, of a definition that contains
    /// itself or is never referenced, and of an `anyOf` whose branches are not told apart.
    pub fn read(value: &Value<'_>) -> Result<Self> {
        let definitions = match value.opened()? {
            Value::Object(mut object) => object.remove("$defs").map(|value| members(&value).map_err(under("$defs"))),
            _ => None,
        };
        let definitions = definitions.transpose()?.unwrap_or_default();
        let mut reader = Reader { definitions: &definitions, open: Vec::new(), used: BTreeSet::new(), parts: 0 };
        let schema = reader.schema(value, true)?;
        match definitions.iter().find(|(name, _)| !reader.used.contains(*name)) {
            None => Ok(schema),
            Some((name, _)) => {
                let message = "expected every definition to be referenced, found one that is not; leave it out";
                Err(chain(message).under_path(Path::default().join("$defs").join(name)))
            }
        }
    }
}

struct Reader<'d> {
    definitions: &'d Object<'d>,
    /// The names of the definitions that are being read, outermost first.
    open: Vec<String>,
    used: BTreeSet<String>,
    parts: usize,
}

/// The keywords of one schema object, as far as they have been read.
#[derive(Default)]
struct Draft {
    schema: Schema,
    shape: Shape,
    required: Vec<String>,
    /// What the value must fit as well.
    also: Vec<Schema>,
}

impl Reader<'_> {
    fn schema(&mut self, value: &Value<'_>, root: bool) -> Result<Schema> {
        self.parts += 1;
        if self.parts > MOST_PARTS {
            return Err(chain(format!("expected a schema of at most {MOST_PARTS} parts, found more")));
        }
        match value.opened()? {
            Value::Bool(true) => Ok(Schema::any()),
            Value::Bool(false) => Ok(Schema::never()),
            Value::Object(object) => {
                let mut draft = Draft::default();
                for (keyword, value) in object {
                    self.keyword(&mut draft, &keyword, &value, root).map_err(under(&keyword))?;
                }
                Ok(draft.finish())
            }
            other => Err(malformed("a schema: an object, true or false", &other)),
        }
    }

    fn keyword(&mut self, draft: &mut Draft, keyword: &str, value: &Value<'_>, root: bool) -> Result<()> {
        match keyword {
            "properties" => {
                for (name, value) in members(value)? {
                    let schema = self.schema(&value, false).map_err(under(&name))?;
                    draft.shape.members.insert(name.into_owned(), Member { schema, required: false });
                }
            }
            "additionalProperties" => draft.shape.rest = some_unless_any(self.schema(value, false)?),
            "items" => draft.schema.array.items = some_unless_any(self.schema(value, false)?),
            "$ref" => draft.also.push(self.reference(value)?),
            "anyOf" => draft.also.push(self.any_of(value)?),
            "$defs" if root => {}
            "$schema" if root => read_dialect(value)?,
            "$id" if root => drop(text(value)?),
            "$defs" | "$schema" | "$id" => {
                return Err(chain(format!("expected {keyword:?} only at the top of a schema, found it further in")));
            }
            _ => return draft.keyword(keyword, value),
        }
        Ok(())
    }

    fn reference(&mut self, value: &Value<'_>) -> Result<Schema> {
        let name = text(value)?.strip_prefix("#/$defs/").and_then(pointed_name);
        let definition = name.as_ref().and_then(|name| self.definitions.get(name));
        let (Some(name), Some(definition)) = (name, definition) else {
            return Err(chain("expected \"#/$defs/NAME\" with the name of a definition, found something else"));
        };
        if self.open.contains(&name) {
            let cycle = [&self.open[..], &[name]].concat().join(" -> ");
            let message = format!("expected definitions that end, found the cycle {cycle}; say how deep it may go");
            return Err(chain(message));
        }
        self.used.insert(name.clone());
        self.open.push(name);
        let schema = self.schema(definition, false);
        self.open.pop();
        schema
    }

    fn any_of(&mut self, value: &Value<'_>) -> Result<Schema> {
        let mut united = Schema::never();
        for (index, branch) in some_items(value)?.iter().enumerate() {
            let at = |error: Error| error.under_path(format_args!("/{index}"));
            let mut branch = self.schema(branch, false).map_err(at)?;
            if let [shape] = &mut branch.shapes[..] {
                shape.about = branch.about.or(&shape.about);
            }
            if let Some(kind) = united.blurs(&branch) {
                return Err(at(chain(format!(
                    "expected branches told apart by type, or, where several permit objects, by a required member that has \"const\" or \"enum\" in each; found a second one that permits a value of type {kind}"
                ))));
            }
            united = united.join(&branch);
        }
        Ok(united)
    }
}

impl Draft {
    fn keyword(&mut self, keyword: &str, value: &Value<'_>) -> Result<()> {
        let Schema { types, text: texts, number, array, about, .. } = &mut self.schema;
        match keyword {
            "type" => *types = read_types(value)?,
            "required" => {
                for name in items(value)? {
                    self.required.push(text(&name)?);
                }
            }
            "enum" => {
                let values = some_items(value)?.into_iter().map(Value::into_owned);
                self.also.push(Schema::one_of(values.collect::<Result<_>>()?));
            }
            "const" => self.also.push(Schema::one_of(vec![value.clone().into_owned()?])),
            "format" if text(value)? == "date-time" => texts.date_time = true,
            "format" => {
                return Err(chain("expected the format \"date-time\", found another; leave it out, or use an enum"));
            }
            "minimum" => number.minimum = Some(read_number(value)?),
            "maximum" => number.maximum = Some(read_number(value)?),
            "minLength" => texts.length.least = Some(read_count(value)?),
            "maxLength" => texts.length.most = Some(read_count(value)?),
            "minItems" => array.count.least = Some(read_count(value)?),
            "maxItems" => array.count.most = Some(read_count(value)?),
            "title" => about.title = Some(text(value)?.into()),
            "description" => about.description = Some(text(value)?.into()),
            "examples" | "default" | "$comment" => {}
            _ => {
                return Err(chain(format!(
                    "expected a keyword that Exuvia checks, found {keyword:?}; leave it out, so that nobody believes it is checked"
                )));
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Schema {
        for name in self.required {
            self.shape.require(name);
        }
        self.schema.set_shapes(vec![self.shape]);
        self.also.iter().fold(self.schema.settled(), |schema, also| schema.meet(also))
    }
}

fn read_dialect(value: &Value<'_>) -> Result<()> {
    match text(value)?.trim_end_matches('#') == DIALECT {
        true => Ok(()),
        false => Err(chain(format!("expected the dialect {DIALECT}, found another"))),
    }
}

/// The name at the end of a JSON Pointer in a URI fragment (RFC 6901, section 6), if it is one name.
fn pointed_name(fragment: &str) -> Option<String> {
    let mut parts = fragment.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (escape, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(escape, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    let pointer = Path::parse(&format!("/{}", String::from_utf8(bytes).ok()?)).ok()?;
    let mut names = pointer.tokens();
    names.next().filter(|_| names.len() == 0).map(str::to_owned)
}

fn read_types(value: &Value<'_>) -> Result<Types> {
    let one = |value: &Value<'_>| {
        let ty = value.text()?.and_then(|name| Type::parse(&name));
        ty.ok_or_else(|| {
            malformed("the name of a type: null, boolean, integer, number, string, array or object", value)
        })
    };
    match value.kind() {
        Kind::Array => some_items(value)?.iter().try_fold(Types::NONE, |types, value| Ok(types.or(one(value)?))),
        _ => one(value).map(Types::from),
    }
}

fn read_number(value: &Value<'_>) -> Result<Number<'static>> {
    value.number().and_then(|number| Number::parse(number.token())).ok_or_else(|| malformed("a number", value))
}

fn read_count(value: &Value<'_>) -> Result<u64> {
    let count = value.number().and_then(|number| number.to_i64()).and_then(|count| u64::try_from(count).ok());
    count.ok_or_else(|| malformed("a whole number that is not negative", value))
}

fn text(value: &Value<'_>) -> Result<String> {
    Ok(value.text()?.ok_or_else(|| malformed("a text", value))?.into_owned())
}

fn members<'a>(value: &Value<'a>) -> Result<Object<'a>> {
    match value.opened()? {
        Value::Object(object) => Ok(object),
        other => Err(malformed("an object", &other)),
    }
}

fn items<'a>(value: &Value<'a>) -> Result<Vec<Value<'a>>> {
    match value.opened()? {
        Value::Array(items) => Ok(items),
        other => Err(malformed("a list", &other)),
    }
}

fn some_items<'a>(value: &Value<'a>) -> Result<Vec<Value<'a>>> {
    let items = items(value)?;
    if items.is_empty() { Err(chain("expected a list that is not empty, found an empty one")) } else { Ok(items) }
}

fn under(name: &str) -> impl FnOnce(Error) -> Error {
    let path = Path::default().join(name);
    move |error| error.under_path(path)
}

fn malformed(expected: &str, found: &Value<'_>) -> Error {
    let other = if found.kind() == Kind::String { "another " } else { "" };
    chain(format!("expected {expected}, found {other}{}", found.kind()))
}

fn chain(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Chain, message)
}
