use crate::document::{Object, Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Schema;

/// The members of an object in a chain file. Each is taken once; what is left over is a mistake.
pub struct Fields<'a> {
    members: Object<'a>,
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Takes the members.
    #[must_use]
    pub fn new(members: Object<'a>) -> Self {
        Self { members, asked: Vec::new() }
    }

    /// A member that may be missing.
    pub fn optional(&mut self, name: &'static str) -> Option<Value<'a>> {
        self.asked.push(name);
        self.members.remove(name)
    }

    /// A member that must be there.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is missing.
    pub fn required(&mut self, name: &'static str) -> Result<Value<'a>> {
        self.optional(name)
            .ok_or_else(|| Error::new(ErrorKind::Chain, format!("expected a member {name:?}, found none")))
    }

    /// A text.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is missing or something else.
    pub fn text(&mut self, name: &'static str) -> Result<String> {
        let value = self.required(name)?;
        text_of(name, &value)
    }

    /// A text that may be missing.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is something else.
    pub fn optional_text(&mut self, name: &'static str) -> Result<Option<String>> {
        self.optional(name).map(|value| text_of(name, &value)).transpose()
    }

    /// A truth that is false where it is missing.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is something else.
    pub fn flag(&mut self, name: &'static str) -> Result<bool> {
        match self.optional(name).map(|value| value.opened()).transpose()? {
            None => Ok(false),
            Some(Value::Bool(truth)) => Ok(truth),
            Some(other) => {
                Err(Error::new(ErrorKind::Chain, format!("expected in {name:?} true or false, found {}", other.kind())))
            }
        }
    }

    /// A JSON Pointer to a place inside the focus.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is missing or no pointer.
    pub fn path(&mut self, name: &'static str) -> Result<Path> {
        Path::parse(&self.text(name)?)
    }

    /// A JSON Pointer to a member: not the focus itself.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is missing, no pointer, or empty.
    pub fn member_path(&mut self, name: &'static str) -> Result<Path> {
        let path = self.path(name)?;
        match path.split_last() {
            Some(_) => Ok(path),
            None => Err(Error::new(
                ErrorKind::Chain,
                format!("expected in {name:?} a pointer to a member, found the empty pointer"),
            )),
        }
    }

    /// A list of texts.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is missing or something else.
    pub fn texts(&mut self, name: &'static str) -> Result<Vec<String>> {
        match self.required(name)?.opened()? {
            Value::Array(items) => items.iter().map(|item| text_of(name, item)).collect(),
            other => Err(Error::new(ErrorKind::Chain, format!("expected in {name:?} a list, found {}", other.kind()))),
        }
    }

    /// An object.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is something else.
    pub fn optional_object(&mut self, name: &'static str) -> Result<Option<Object<'a>>> {
        match self.optional(name).map(|value| value.opened()).transpose()? {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(other) => {
                Err(Error::new(ErrorKind::Chain, format!("expected in {name:?} an object, found {}", other.kind())))
            }
        }
    }

    /// Any value, kept.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is missing.
    pub fn value(&mut self, name: &'static str) -> Result<Value<'static>> {
        self.required(name)?.into_owned()
    }

    /// A schema that may be missing.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is malformed.
    pub fn optional_schema(&mut self, name: &'static str) -> Result<Option<Schema>> {
        self.optional(name).map(|value| Schema::read(&value)).transpose()
    }

    /// Refuses members that nobody asked for.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] naming the member and those that are known here.
    pub fn finish(self, what: &str) -> Result<()> {
        match self.members.iter().next() {
            None => Ok(()),
            Some((stranger, _)) => {
                let known = self.asked.join(", ");
                Err(Error::new(
                    ErrorKind::Chain,
                    format!("expected in {what:?} no members but {known}; found {stranger:?}"),
                ))
            }
        }
    }
}

fn text_of(name: &str, value: &Value<'_>) -> Result<String> {
    match value.text()? {
        Some(text) => Ok(text.into_owned()),
        None => Err(Error::new(ErrorKind::Chain, format!("expected in {name:?} a text, found {}", value.kind()))),
    }
}
