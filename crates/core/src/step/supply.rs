//! The value that a step brings: written in it, or made.

use super::Fields;
use super::manual::{Form, Member};
use crate::document::Value;
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Supply, TimeFormat};
use crate::schema::{Schema, Type};

/// What `make` may be.
const MADE: &str = r#"{"oneOf":[
  {"type":"object","required":["now"],"additionalProperties":false,"properties":{"now":{"enum":["iso","epoch-s","epoch-ms"]}}},
  {"type":"object","required":["key"],"additionalProperties":false,"properties":{"key":{"type":"string"}}}]}"#;

pub(super) const VALUE: Member = Member::optional("value", Form::Value, "The value. Either this or `make` is given.");
pub(super) const MAKE: Member = Member::optional(
    "make",
    Form::Other("`{ \"now\": … }` or `{ \"key\": … }`", MADE),
    "A value that is made: `{ \"now\": \"iso\" }` (or `\"epoch-s\"`, `\"epoch-ms\"`), the time of the run; `{ \"key\": \"note-\" }`, a text of this prefix, the record's key, and the place in the record.",
);

/// Reads `value` or `make`.
pub(super) fn read(fields: &mut Fields<'_>) -> Result<Supply> {
    match (fields.optional("value"), fields.optional("make")) {
        (Some(value), None) => Ok(Supply::Literal(value.into_owned()?)),
        (None, Some(made)) => read_made(&made),
        (found, _) => {
            let found = if found.is_some() { "both" } else { "neither" };
            Err(Error::new(ErrorKind::Chain, format!("expected \"value\" or \"make\", found {found}")))
        }
    }
}

fn read_made(value: &Value<'_>) -> Result<Supply> {
    let malformed = || {
        let message = "expected in \"make\" {\"now\": \"iso\"}, {\"now\": \"epoch-s\"}, {\"now\": \"epoch-ms\"} or {\"key\": PREFIX}, found something else";
        Error::new(ErrorKind::Chain, message)
    };
    let Value::Object(object) = value.opened()? else { return Err(malformed()) };
    let [(name, value)] = object.iter().collect::<Vec<_>>()[..] else { return Err(malformed()) };
    let text = value.text()?.ok_or_else(malformed)?;
    match (name, &*text) {
        ("now", "iso") => Ok(Supply::Now(TimeFormat::Iso)),
        ("now", "epoch-s") => Ok(Supply::Now(TimeFormat::EpochSeconds)),
        ("now", "epoch-ms") => Ok(Supply::Now(TimeFormat::EpochMilliseconds)),
        ("key", prefix) => Ok(Supply::Key { prefix: prefix.to_owned() }),
        _ => Err(malformed()),
    }
}

/// The loosest schema of what is brought.
pub(super) fn schema_of(supply: &Supply) -> Schema {
    match supply {
        Supply::Literal(value) => Schema::of(value),
        Supply::Key { .. } => Schema::of_types(Type::String.into()),
        Supply::Now(format) => schema_of_time(*format),
    }
}

/// Checks that what is brought fits.
pub(super) fn check_fits(supply: &Supply, schema: &Schema) -> Result<()> {
    match supply {
        Supply::Literal(value) => schema.validate(value).map_err(|error| error.of_kind(ErrorKind::Chain)),
        made if schema.includes(&schema_of(made)) => Ok(()),
        _ => {
            let message =
                "expected a schema that permits whatever \"make\" makes, found one that does not; leave it out";
            Err(Error::new(ErrorKind::Chain, message))
        }
    }
}

/// Every point in time in one format. Numbers are bounded to the years that a text can say, so that each has a way back.
pub(super) fn schema_of_time(format: TimeFormat) -> Schema {
    let between = |low: i64, high: i64| Schema::between(low.into(), high.into());
    match format {
        TimeFormat::Iso => Schema::date_time(),
        TimeFormat::EpochSeconds => between(-62_167_219_200, 253_402_300_799),
        TimeFormat::EpochMilliseconds => between(-62_167_219_200_000, 253_402_300_799_999),
    }
}
