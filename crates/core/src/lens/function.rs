use std::borrow::Cow;

use super::TimeFormat;
use super::instant::Instant;
use crate::document::{Kind, Object, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Schema;

/// A function from a value that may be absent to a value that may be absent: a closed set, so that each can be told in
/// words and compiled for a database.
#[derive(Clone, Debug)]
pub enum Function {
    /// The value as it is.
    Keep,
    /// Absent. Where the residue says that something was there before, what became of it stays, if it fits: an unknown
    /// member that a step made its own comes back with its edits.
    Withdraw(Schema),
    /// This value where there is none, or where what is there does not fit.
    Default {
        /// What stands in.
        value: Value<'static>,
        /// What a value that is there must fit to stay.
        fits: Schema,
    },
    /// The value where it fits, else absent.
    Admit(Schema),
    /// The object that is there, or an empty one.
    Enclose,
    /// The value that is there; absent where it is an empty object or does not fit.
    Prune(Schema),
    /// The counterpart of the value in a table. Absent stays absent.
    Table {
        /// Pairs of value and counterpart.
        pairs: Vec<(Value<'static>, Value<'static>)>,
        /// What happens to any other value.
        unmapped: Unmapped,
    },
    /// A point in time, written differently. Absent and null stay.
    Time {
        /// How it is written.
        from: TimeFormat,
        /// How it shall be written.
        to: TimeFormat,
        /// Whether a number must be whole; the digits below the unit are then cut.
        whole: bool,
    },
    /// A text cut at each separator; an empty text has no parts.
    Split(String),
    /// A list of texts joined by a separator.
    Join(String),
    /// Another function where it has a value, and one that fits; else this value. Absent stays absent.
    Within {
        /// The function.
        function: Box<Function>,
        /// What its value must fit.
        fits: Schema,
        /// What stands in.
        otherwise: Value<'static>,
    },
}

/// What a table does with a value that it does not name.
#[derive(Clone, Debug)]
pub enum Unmapped {
    /// It stays.
    Keep,
    /// This takes its place.
    Default(Value<'static>),
    /// The record is refused.
    Refuse,
}

impl Function {
    /// The value of the function.
    ///
    /// # Errors
    /// [`ErrorKind::Unfit`] for a value that it is not defined for.
    pub fn apply<'a>(&self, value: Option<Value<'a>>) -> Result<Option<Value<'a>>> {
        let present = match (self, value) {
            (Function::Keep, value) => return Ok(value),
            (Function::Withdraw(_), _) => return Ok(None),
            (Function::Default { value: default, .. }, None) => return Ok(Some(default.clone())),
            (Function::Enclose, None) => return Ok(Some(Value::Object(Object::new()))),
            (_, None) => return Ok(None),
            (_, Some(value)) => value,
        };
        match self {
            Function::Keep | Function::Withdraw(_) => Ok(Some(present)),
            Function::Default { value, fits } => Ok(Some(if fits.accepts(&present) { present } else { value.clone() })),
            Function::Admit(fits) => Ok(fits.accepts(&present).then_some(present)),
            Function::Enclose if present.kind() == Kind::Object => Ok(Some(present)),
            Function::Enclose => Ok(Some(Value::Object(Object::new()))),
            Function::Prune(fits) => {
                let empty = matches!(present.opened()?, Value::Object(object) if object.is_empty());
                Ok((!empty && fits.accepts(&present)).then_some(present))
            }
            Function::Table { pairs, unmapped } => look_up(pairs, unmapped, present).map(Some),
            Function::Time { .. } if present.kind() == Kind::Null => Ok(Some(present)),
            Function::Time { from, to, whole } => convert_time(*from, *to, *whole, &present).map(Some),
            Function::Within { function, fits, otherwise } => {
                let value = function.apply(Some(present)).ok().flatten().filter(|value| fits.accepts(value));
                Ok(Some(value.unwrap_or_else(|| otherwise.clone())))
            }
            Function::Split(by) => split(by, &present).map(Some),
            Function::Join(by) => join(by, &present).map(Some),
        }
    }
}

fn look_up<'a>(pairs: &[(Value<'static>, Value<'static>)], unmapped: &Unmapped, value: Value<'a>) -> Result<Value<'a>> {
    if let Some((_, to)) = pairs.iter().find(|(from, _)| *from == value) {
        return Ok(to.clone());
    }
    match unmapped {
        Unmapped::Keep => Ok(value),
        Unmapped::Default(default) => Ok(default.clone()),
        Unmapped::Refuse => Err(Error::new(
            ErrorKind::Unfit,
            format!("expected a value that the table names, found another {}", value.kind()),
        )),
    }
}

fn convert_time<'a>(from: TimeFormat, to: TimeFormat, whole: bool, value: &Value<'a>) -> Result<Value<'a>> {
    let wrong = |expected: &str| {
        let message = format!("expected {expected}, found a {} that is none", value.kind());
        Error::new(ErrorKind::Unfit, message)
    };
    let epoch = |shift| value.number().and_then(|number| Instant::from_epoch(&number, shift));
    let instant = match from {
        TimeFormat::EpochSeconds => {
            epoch(0).ok_or_else(|| wrong("a time in seconds since 1970, in the years 0 to 9999"))
        }
        TimeFormat::EpochMilliseconds => {
            epoch(3).ok_or_else(|| wrong("a time in milliseconds since 1970, in the years 0 to 9999"))
        }
        TimeFormat::Iso => {
            let text = value.text()?;
            text.and_then(|text| Instant::from_iso(&text)).ok_or_else(|| wrong("a time as RFC 3339 writes it"))
        }
    }?;
    Ok(match to {
        TimeFormat::EpochSeconds => Value::Number(instant.to_epoch(0, whole)),
        TimeFormat::EpochMilliseconds => Value::Number(instant.to_epoch(3, whole)),
        TimeFormat::Iso => Value::String(Cow::Owned(instant.to_iso())),
    })
}

fn split<'a>(by: &str, value: &Value<'a>) -> Result<Value<'a>> {
    let text = value
        .text()?
        .ok_or_else(|| Error::new(ErrorKind::Unfit, format!("expected a text to split, found {}", value.kind())))?;
    if text.is_empty() {
        return Ok(Value::Array(Vec::new()));
    }
    Ok(Value::Array(text.split(by).map(|part| Value::String(Cow::Owned(part.to_owned()))).collect()))
}

fn join<'a>(by: &str, value: &Value<'a>) -> Result<Value<'a>> {
    let wrong = |kind| Error::new(ErrorKind::Unfit, format!("expected a list of texts to join, found {kind}"));
    let Value::Array(items) = value.opened()? else { return Err(wrong(value.kind())) };
    let mut parts = Vec::with_capacity(items.len());
    for item in &items {
        parts.push(item.text()?.ok_or_else(|| wrong(item.kind()))?);
    }
    Ok(Value::String(Cow::Owned(parts.join(by))))
}
