use super::{Additional, Bounds, Schema, Type, Types};
use crate::document::{Kind, Number, Object, Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::is_date_time;

impl Schema {
    /// Whether a value fits.
    #[must_use]
    pub fn accepts(&self, value: &Value<'_>) -> bool {
        self.validate(value).is_ok()
    }

    /// Checks that a value fits.
    ///
    /// # Errors
    /// [`ErrorKind::Unfit`] with the path of the first place that does not, what was expected and the type found.
    pub fn validate(&self, value: &Value<'_>) -> Result<()> {
        let kind = value.kind();
        if !self.types.accept(value) {
            return Err(unfit(format!("expected {}, found {kind}", self.types)));
        }
        if let Some(values) = &self.values
            && !values.contains(value)
        {
            return Err(unfit(format!(
                "expected one of the {} values of the enum, found another {kind}",
                values.len()
            )));
        }
        match kind {
            Kind::Object => self.validate_members(value),
            Kind::Array => self.validate_items(value),
            Kind::String => self.validate_text(value),
            Kind::Number => self.bounds.validate_number(value),
            Kind::Null | Kind::Boolean => Ok(()),
        }
    }

    fn validate_members(&self, value: &Value<'_>) -> Result<()> {
        if self.required.is_empty() && self.properties.is_empty() && self.additional == Additional::Anything {
            return Ok(());
        }
        let Value::Object(object) = value.opened()? else { return Ok(()) };
        if let Some(missing) = self.required.iter().find(|name| object.get(name).is_none()) {
            let path = Path::default().join(missing);
            return Err(unfit("expected a member, found none".into()).under_path(path));
        }
        self.validate_each_member(&object)
    }

    fn validate_each_member(&self, object: &Object<'_>) -> Result<()> {
        for (name, value) in object.iter() {
            let result = match (self.properties.get(name), &self.additional) {
                (Some(schema), _) => schema.validate(value),
                (None, Additional::Anything) => Ok(()),
                (None, Additional::Nothing) => Err(unfit("expected no such member, found one".into())),
                (None, Additional::Fitting(schema)) => schema.validate(value),
            };
            result.map_err(|error| error.under_path(Path::default().join(name)))?;
        }
        Ok(())
    }

    fn validate_items(&self, value: &Value<'_>) -> Result<()> {
        let span = self.bounds.items;
        if self.items.is_none() && span == Default::default() {
            return Ok(());
        }
        let Value::Array(items) = value.opened()? else { return Ok(()) };
        if !span.contains(items.len() as u64) {
            return Err(unfit(format!("expected another number of items, found {}", items.len())));
        }
        let Some(schema) = &self.items else { return Ok(()) };
        for (index, item) in items.iter().enumerate() {
            schema.validate(item).map_err(|error| error.under_path(format_args!("/{index}")))?;
        }
        Ok(())
    }

    fn validate_text(&self, value: &Value<'_>) -> Result<()> {
        let span = self.bounds.length;
        if !self.date_time && span == Default::default() {
            return Ok(());
        }
        let Some(text) = value.text()? else { return Ok(()) };
        if self.date_time && !is_date_time(&text) {
            return Err(unfit("expected a time as RFC 3339 writes it, found another text".into()));
        }
        let length = text.chars().count() as u64;
        match span.contains(length) {
            true => Ok(()),
            false => Err(unfit(format!("expected a text of another length, found {length} characters"))),
        }
    }
}

impl Bounds {
    fn validate_number(&self, value: &Value<'_>) -> Result<()> {
        let Some(number) = value.number() else { return Ok(()) };
        // Doubles decide here, as they do in every validator that JavaScript runs.
        let beyond = |bound: &Option<Number<'_>>, wrong: fn(&f64, &f64) -> bool| {
            bound.as_ref().is_some_and(|bound| wrong(&number.to_f64(), &bound.to_f64()))
        };
        match beyond(&self.minimum, f64::lt) || beyond(&self.maximum, f64::gt) {
            true => Err(unfit("expected a number within the bounds, found one outside".into())),
            false => Ok(()),
        }
    }
}

impl Types {
    /// Whether values of these types may be objects.
    #[must_use]
    pub fn only_object(self) -> bool {
        self == Types::from(Type::Object)
    }
}

fn unfit(message: String) -> Error {
    Error::new(ErrorKind::Unfit, message)
}
