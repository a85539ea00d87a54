use std::borrow::Cow;

use super::{Additional, Bounds, Schema, Span, Type, Types};
use crate::document::{Kind, Number, Object, Path, Value};
use crate::error::{Error, ErrorKind, Result};

/// Keywords that say nothing about which values fit.
const ANNOTATIONS: [&str; 7] = ["title", "description", "examples", "default", "$schema", "$id", "$comment"];

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] with the path of a keyword that is unknown or malformed.
    pub fn read(value: &Value<'_>) -> Result<Self> {
        match value.opened()? {
            Value::Bool(true) => Ok(Self::any()),
            Value::Bool(false) => Ok(Self::of_types(Types::NONE)),
            Value::Object(object) => {
                let mut schema = Self::any();
                for (keyword, value) in object {
                    schema
                        .read_keyword(&keyword, &value)
                        .map_err(|error| error.under_path(Path::default().join(&keyword)))?;
                }
                Ok(schema)
            }
            other => Err(malformed("a schema: an object, true or false", &other)),
        }
    }

    fn read_keyword(&mut self, keyword: &str, value: &Value<'_>) -> Result<()> {
        match keyword {
            "type" => self.types = read_types(value)?,
            "properties" => {
                for (name, schema) in members(value)? {
                    let read = Self::read(&schema).map_err(|error| error.under_path(Path::default().join(&name)))?;
                    self.properties.insert(name.into_owned(), read);
                }
            }
            "required" => {
                for name in items(value)? {
                    let name = name.text()?.ok_or_else(|| malformed("the name of a member", &name))?;
                    self.required.insert(name.into_owned());
                }
            }
            "additionalProperties" => {
                self.additional = match value.opened()? {
                    Value::Bool(true) => Additional::Anything,
                    Value::Bool(false) => Additional::Nothing,
                    schema => Additional::Fitting(Box::new(Self::read(&schema)?)),
                }
            }
            "items" => self.items = Some(Box::new(Self::read(value)?)),
            "enum" => self.values = Some(items(value)?.into_iter().map(Value::into_owned).collect::<Result<_>>()?),
            "const" => self.values = Some(vec![value.clone().into_owned()?]),
            "format" => match value.text()?.as_deref() {
                Some("date-time") => self.date_time = true,
                _ => {
                    return Err(Error::new(
                        ErrorKind::Chain,
                        "expected the format \"date-time\", found another; leave it out, or use an enum",
                    ));
                }
            },
            _ => return self.bounds.read_keyword(keyword, value),
        }
        Ok(())
    }
}

impl Bounds {
    fn read_keyword(&mut self, keyword: &str, value: &Value<'_>) -> Result<()> {
        let set = |span: &mut Span, least: bool| {
            let bound = Some(read_count(value)?);
            *(if least { &mut span.least } else { &mut span.most }) = bound;
            Ok(())
        };
        match keyword {
            "minimum" => self.minimum = Some(read_number(value)?),
            "maximum" => self.maximum = Some(read_number(value)?),
            "minLength" => return set(&mut self.length, true),
            "maxLength" => return set(&mut self.length, false),
            "minItems" => return set(&mut self.items, true),
            "maxItems" => return set(&mut self.items, false),
            known if ANNOTATIONS.contains(&known) => {}
            _ => {
                return Err(Error::new(
                    ErrorKind::Chain,
                    format!(
                        "expected a keyword that Exuvia checks, found {keyword:?}; leave it out, so that nobody believes it is checked"
                    ),
                ));
            }
        }
        Ok(())
    }
}

fn read_types(value: &Value<'_>) -> Result<Types> {
    let one = |value: &Value<'_>| {
        let ty = value.text()?.and_then(|name| Type::parse(&name));
        ty.ok_or_else(|| {
            malformed("the name of a type: null, boolean, integer, number, string, array or object", value)
        })
    };
    if value.kind() == Kind::Array {
        items(value)?.iter().try_fold(Types::NONE, |types, value| Ok(types.or(one(value)?)))
    } else {
        one(value).map(Types::from)
    }
}

fn read_number(value: &Value<'_>) -> Result<Number<'static>> {
    value.number().and_then(|number| Number::parse(number.token())).ok_or_else(|| malformed("a number", value))
}

fn read_count(value: &Value<'_>) -> Result<u64> {
    let count = value.number().and_then(|number| number.to_i64()).and_then(|count| u64::try_from(count).ok());
    count.ok_or_else(|| malformed("a whole number that is not negative", value))
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

fn malformed(expected: &str, found: &Value<'_>) -> Error {
    let found: Cow<'_, str> = match found.kind() {
        Kind::String => Cow::Borrowed("another text"),
        kind => Cow::Owned(kind.to_string()),
    };
    Error::new(ErrorKind::Chain, format!("expected {expected}, found {found}"))
}
