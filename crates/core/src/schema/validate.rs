use super::{Member, Schema, Shape, Text};
use crate::document::{Kind, Object, Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::is_date_time;

impl Schema {
    /// Whether a value fits.
    #[must_use]
    pub fn accepts(&self, value: &Value<'_>) -> bool {
        self.validate(value).is_ok()
    }

    /// Checks that a value fits. Looks no further into it than the schema says something.
    ///
    /// # Errors
    /// [`ErrorKind::Unfit`] with the path of the first place that does not, what was expected and the type found;
    /// [`ErrorKind::Json`] where a text that has to be looked at is no Unicode.
    pub fn validate(&self, value: &Value<'_>) -> Result<()> {
        let kind = value.kind();
        if !self.types.accept(value) {
            let fraction = if self.types.touch(kind) { " that is not whole" } else { "" };
            return Err(unfit(format!("expected {}, found {kind}{fraction}", self.types)));
        }
        if self.lists(kind) {
            return self.validate_listed(value);
        }
        match kind {
            Kind::Object => self.validate_object(value),
            Kind::Array => self.validate_items(value),
            Kind::String => self.text.validate(value),
            Kind::Number => self.validate_number(value),
            Kind::Null | Kind::Boolean => Ok(()),
        }
    }

    fn validate_listed(&self, value: &Value<'_>) -> Result<()> {
        match contain(&self.values, value) {
            true => Ok(()),
            false => {
                let (count, kind) = (self.values.len(), value.kind());
                Err(unfit(format!("expected one of {count} listed values, found another {kind}")))
            }
        }
    }

    fn validate_object(&self, value: &Value<'_>) -> Result<()> {
        if self.shapes.is_empty() {
            return Ok(());
        }
        let opened;
        let object = match value {
            Value::Object(object) => object,
            raw => {
                opened = raw.opened()?;
                let Value::Object(object) = &opened else { return Ok(()) };
                object
            }
        };
        match &self.shapes[..] {
            [shape] => shape.validate(object),
            shapes => match shapes.iter().find(|shape| shape.claims(object)) {
                Some(shape) => shape.validate(object),
                None => Err(self.unclaimed()),
            },
        }
    }

    /// The names that tell the forms apart are the schema's own; the values found are not.
    fn unclaimed(&self) -> Error {
        let mut names: Vec<_> = self.shapes.iter().flat_map(|shape| shape.tags().map(|(name, _)| name)).collect();
        names.sort_unstable();
        names.dedup();
        let (count, names) = (self.shapes.len(), names.join(", "));
        unfit(format!("expected an object of one of {count} forms, told apart by {names}; found an object of none"))
    }

    fn validate_items(&self, value: &Value<'_>) -> Result<()> {
        if self.array == super::Items::default() {
            return Ok(());
        }
        let opened;
        let items = match value {
            Value::Array(items) => items,
            raw => {
                opened = raw.opened()?;
                let Value::Array(items) = &opened else { return Ok(()) };
                items
            }
        };
        let count = self.array.count;
        if !count.contains(items.len() as u64) {
            return Err(unfit(format!("expected {count} items, found {}", items.len())));
        }
        let Some(schema) = &self.array.items else { return Ok(()) };
        for (index, item) in items.iter().enumerate() {
            schema.validate(item).map_err(|error| error.under_path(format_args!("/{index}")))?;
        }
        Ok(())
    }

    fn validate_number(&self, value: &Value<'_>) -> Result<()> {
        let within = value.number().is_none_or(|number| self.number.contains(&number));
        match within {
            true => Ok(()),
            false => Err(unfit(format!("expected a number {}, found another number", self.number))),
        }
    }
}

impl Shape {
    /// Whether an object has the values that tell this form from the others.
    fn claims(&self, object: &Object<'_>) -> bool {
        self.tags().all(|(name, values)| object.get(name).is_some_and(|value| contain(values, value)))
    }

    /// One pass over the members, so that large objects cost no more than they hold.
    fn validate(&self, object: &Object<'_>) -> Result<()> {
        let mut required = 0;
        for (name, value) in object.iter() {
            let result = match (self.members.get(name), &self.rest) {
                (Some(member), _) => {
                    required += usize::from(member.required);
                    member.schema.validate(value)
                }
                (None, None) => Ok(()),
                (None, Some(rest)) => rest.validate(value),
            };
            result.map_err(|error| error.under_path(Path::default().join(name)))?;
        }
        match required == self.members.values().filter(|member| member.required).count() {
            true => Ok(()),
            false => Err(self.missing(object)),
        }
    }

    fn missing(&self, object: &Object<'_>) -> Error {
        let absent = |(name, member): &(&String, &Member)| member.required && object.get(name).is_none();
        let name = self.members.iter().find(absent).map_or("", |(name, _)| name);
        unfit("expected a member, found none".into()).under_path(Path::default().join(name))
    }
}

impl Text {
    fn validate(&self, value: &Value<'_>) -> Result<()> {
        if !self.date_time && self.allows_size_of(value) {
            return Ok(());
        }
        let Some(text) = value.text()? else { return Ok(()) };
        if self.date_time && !is_date_time(&text) {
            return Err(unfit("expected a time as RFC 3339 writes it, found another string".into()));
        }
        let length = text.chars().count() as u64;
        match self.length.contains(length) {
            true => Ok(()),
            false => Err(unfit(format!("expected {} characters, found {length}", self.length))),
        }
    }

    /// Whether the length fits however the text is written, so that nobody need read it: a character takes from one
    /// byte to the twelve of `\ud83d\ude00`.
    fn allows_size_of(&self, value: &Value<'_>) -> bool {
        let Value::Raw(text) = value else { return self.length == Default::default() };
        let bytes = text.len().saturating_sub(2) as u64;
        self.length.contains(bytes) && self.length.contains(bytes.div_ceil(12))
    }
}

/// Whether a value is one of these. A text is read once, not once for each of them.
fn contain(values: &[Value<'_>], value: &Value<'_>) -> bool {
    let Ok(Some(text)) = value.text() else { return values.contains(value) };
    values.iter().any(|known| match known {
        Value::String(known) => *known == text,
        other => other == value,
    })
}

fn unfit(message: String) -> Error {
    Error::new(ErrorKind::Unfit, message)
}
