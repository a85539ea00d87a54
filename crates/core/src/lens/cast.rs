use super::function::unfit;
use crate::document::{Number, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::json_words;

/// A type whose values have a natural counterpart in the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// A text.
    Text,
    /// A number.
    Number,
    /// `true` or `false`; as a text `"true"` and `"false"`, as a number 1 and 0.
    Truth,
}

json_words!(Scalar { "text": Text, "number": Number, "truth": Truth });

/// The largest integer up to which JavaScript, PostgreSQL and MongoDB write every one alike.
pub(crate) const SAFE: i64 = 9_007_199_254_740_991;

pub(super) fn cast<'a>(from: Scalar, to: Scalar, value: &Value<'a>) -> Result<Value<'a>> {
    let opened = value.opened()?;
    match (from, to, &opened) {
        (Scalar::Text, Scalar::Number, Value::String(text)) => {
            Number::parse(text).map(Value::Number).ok_or_else(|| unwritten("a text that is a number as JSON writes it"))
        }
        (Scalar::Text, Scalar::Truth, Value::String(text)) => match &**text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(unwritten("the text \"true\" or \"false\"")),
        },
        (Scalar::Number, Scalar::Text, Value::Number(number)) => {
            match number.to_i64().filter(|whole| whole.abs() <= SAFE) {
                Some(whole) => Ok(Value::from(whole.to_string().as_str())),
                None => Err(unwritten("a whole number up to 2^53 - 1, which every database writes alike")),
            }
        }
        (Scalar::Number, Scalar::Truth, Value::Number(number)) => match number.to_i64() {
            Some(0) => Ok(Value::Bool(false)),
            Some(1) => Ok(Value::Bool(true)),
            _ => Err(unwritten("the number 0 or 1")),
        },
        (Scalar::Truth, Scalar::Text, Value::Bool(truth)) => Ok(Value::from(if *truth { "true" } else { "false" })),
        (Scalar::Truth, Scalar::Number, Value::Bool(truth)) => Ok(Value::from(i64::from(*truth))),
        (Scalar::Text, ..) => Err(unfit("a text", value)),
        (Scalar::Number, ..) => Err(unfit("a number", value)),
        (Scalar::Truth, ..) => Err(unfit("true or false", value)),
    }
}

fn unwritten(expected: &str) -> Error {
    Error::new(ErrorKind::Unfit, format!("expected {expected}, found another"))
}
