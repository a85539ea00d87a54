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

    /// One JSON Pointer to a member, or a list of them that is not empty.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is missing or something else.
    pub fn member_paths(&mut self, name: &'static str) -> Result<Vec<Path>> {
        let value = self.required(name)?;
        let texts = match value.opened()? {
            Value::Array(items) => items.iter().map(|item| text_of(name, item)).collect::<Result<Vec<_>>>()?,
            _ => vec![text_of(name, &value)?],
        };
        let paths = texts.iter().map(|text| Path::parse(text)).collect::<Result<Vec<_>>>()?;
        if paths.is_empty() || paths.contains(&Path::default()) {
            let message = format!("expected in {name:?} pointers to members, found none, or an empty pointer");
            return Err(Error::new(ErrorKind::Chain, message));
        }
        Ok(paths)
    }

    /// A JSON Pointer to a member of the focus itself: one name after a `/`.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is missing or something else.
    pub fn name_path(&mut self, name: &'static str) -> Result<Path> {
        let path = self.path(name)?;
        let names = path.tokens().len();
        match names {
            1 => Ok(path),
            _ => {
                let message = format!("expected in {name:?} one name after a \"/\", as \"/id\"; found another pointer");
                Err(Error::new(ErrorKind::Chain, message))
            }
        }
    }

    /// A text that is not empty.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is missing, empty or something else.
    pub fn separator(&mut self, name: &'static str) -> Result<String> {
        let text = self.text(name)?;
        match text.is_empty() {
            false => Ok(text),
            true => Err(Error::new(ErrorKind::Chain, format!("expected in {name:?} a text, found an empty one"))),
        }
    }

    /// What one of these words stands for.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is missing or something else.
    pub fn word<T: Copy>(&mut self, name: &'static str, words: &[(&'static str, T)]) -> Result<T> {
        let text = self.text(name)?;
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, meant)) => Ok(*meant),
            None => {
                let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                let message = format!("expected in {name:?} one of {}, found {text:?}", words.join(", "));
                Err(Error::new(ErrorKind::Chain, message))
            }
        }
    }

    /// As [`Fields::word`], where it may be missing.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is something else.
    pub fn optional_word<T: Copy>(&mut self, name: &'static str, words: &[(&'static str, T)]) -> Result<Option<T>> {
        match self.members.get(name) {
            Some(_) => self.word(name, words).map(Some),
            None => {
                self.asked.push(name);
                Ok(None)
            }
        }
    }

    /// A whole number that is not negative.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is missing or something else.
    pub fn count(&mut self, name: &'static str) -> Result<usize> {
        let value = self.required(name)?;
        let whole = value.number().and_then(|number| number.to_i64()).and_then(|number| usize::try_from(number).ok());
        whole.ok_or_else(|| {
            Error::new(ErrorKind::Chain, format!("expected in {name:?} a whole number from 0 on, found something else"))
        })
    }

    /// An object of texts, as pairs.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where it is something else.
    pub fn names(&mut self, name: &'static str) -> Result<Vec<(String, String)>> {
        let object = self.optional_object(name)?.unwrap_or_default();
        object.iter().map(|(key, value)| Ok((key.to_owned(), text_of(name, value)?))).collect()
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

    /// Any value that may be missing, kept.
    ///
    /// # Errors
    /// [`ErrorKind::Json`] where a text in it is no Unicode.
    pub fn optional_value(&mut self, name: &'static str) -> Result<Option<Value<'static>>> {
        self.optional(name).map(Value::into_owned).transpose()
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
