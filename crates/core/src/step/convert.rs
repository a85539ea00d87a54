use super::{Fields, Lowering, Step, StepKind};
use crate::document::{Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Function, TimeFormat};
use crate::schema::{Schema, Type, Types};

pub(super) const KIND: StepKind = StepKind { verb: "convert", read };

/// `{ "convert": "/created", "from": "epoch-s", "to": "iso" }`: the same point in time, written differently, to the last
/// digit. `null` stays `null` where the schema permits it.
#[derive(Debug)]
struct Convert {
    at: Path,
    from: TimeFormat,
    to: TimeFormat,
    back: Option<Value<'static>>,
}

const FORMATS: [(&str, TimeFormat); 3] =
    [("epoch-s", TimeFormat::EpochSeconds), ("epoch-ms", TimeFormat::EpochMilliseconds), ("iso", TimeFormat::Iso)];

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let at = fields.path("convert")?;
    let (from, to) = (read_format(fields, "from")?, read_format(fields, "to")?);
    if from == to {
        return Err(Error::new(ErrorKind::Chain, "expected \"from\" and \"to\" to differ, found them equal"));
    }
    let back = fields.optional("back").map(Value::into_owned).transpose()?;
    Ok(Box::new(Convert { at, from, to, back }))
}

fn read_format(fields: &mut Fields<'_>, name: &'static str) -> Result<TimeFormat> {
    let text = fields.text(name)?;
    let known = FORMATS.iter().find(|(known, _)| *known == text).map(|(_, format)| *format);
    known.ok_or_else(|| {
        Error::new(ErrorKind::Chain, format!("expected in {name:?} one of epoch-s, epoch-ms, iso, found {text:?}"))
    })
}

impl Step for Convert {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.at)?;
        let expected = match self.from {
            TimeFormat::Iso => Type::String,
            TimeFormat::EpochSeconds | TimeFormat::EpochMilliseconds => Type::Number,
        };
        before.types().expect_within(Types::from(expected).or(Type::Null), &self.at)?;
        let whole = !before.types().include(expected) && before.types().include(Type::Integer);
        lowering.edit_with_back(
            &self.at,
            Function::Time { from: self.from, to: self.to, whole: false },
            Function::Time { from: self.to, to: self.from, whole },
            takes_every_time(&before, self.from, whole)?,
            self.back.as_ref(),
        )?;
        let after = schema_of(self.to)?;
        let after = if before.types().include(Type::Null) { after.or_null() } else { after };
        lowering.schema.replace(&self.at, after);
        Ok(())
    }

    fn words(&self) -> String {
        let name = |format| FORMATS.iter().find(|(_, known)| *known == format).map_or("", |(name, _)| name);
        format!("{} is converted from {} to {}", self.at, name(self.from), name(self.to))
    }
}

/// Whether a schema permits every point in time, so that none has no way back to it.
fn takes_every_time(schema: &Schema, format: TimeFormat, whole: bool) -> Result<bool> {
    if schema.is_plain() {
        return Ok(true);
    }
    let every = schema_of(format)?;
    let widened = every.join(schema);
    Ok(!whole && widened == *schema)
}

/// Numbers are bounded to the years that a text can say, so that each has a way back.
fn schema_of(format: TimeFormat) -> Result<Schema> {
    let between = |low: i64, high: i64| Schema::between(low.into(), high.into());
    Ok(match format {
        TimeFormat::Iso => Schema::date_time(),
        TimeFormat::EpochSeconds => between(-62_167_219_200, 253_402_300_799),
        TimeFormat::EpochMilliseconds => between(-62_167_219_200_000, 253_402_300_799_999),
    })
}
