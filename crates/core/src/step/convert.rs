use super::manual::{Chapter, Example, Form, Manual, Member, Mistake};
use super::supply::schema_of_time;
use super::{Fields, Lowering, Step, StepKind};
use crate::document::{Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::lens::{Function, Scalar, TimeFormat};
use crate::schema::{Schema, Type, Types};

pub(super) const KIND: StepKind = StepKind { verb: "convert", read };

pub(super) static MANUAL: Manual = Manual {
    chapter: Chapter::Values,
    summary: "The same point in time, or the same text, number or truth value, written differently.",
    members: &[
        Member::required("convert", Form::Place, "The value."),
        Member::required("from", Form::Word(&NAMES), "How it is written."),
        Member::required("to", Form::Word(&NAMES), "How it shall be written: one of the first three for one of them, one of the last three for one of them."),
        Member::optional("else", Form::Value, "What it becomes where it is none: a text that is no number, say. Without it, such a record is refused in the rehearsal, before anything is written."),
        Member::optional("back", Form::Value, "What it is, on the way down, where a later value has no way back. Must be given where there can be such values."),
    ],
    example: Example {
        schema: r#"{ "type": "object", "properties": { "create_time": { "type": "number" } } }"#,
        step: r#"{ "convert": "/create_time", "from": "epoch-s", "to": "iso" }"#,
        before: r#"{ "create_time": 1697043600.123456 }"#,
        after: r#"{ "create_time": "2023-10-11T17:00:00.123456Z" }"#,
    },
    notes: "`epoch-s` and `epoch-ms` are seconds and milliseconds since 1970, with a fraction; `iso` is RFC 3339 in UTC (an offset is read, and kept as residue). The digits are carried over, never computed, so none is lost. A number becomes a text where it is whole and at most 2^53 - 1, which every database writes alike; a text becomes a number where it is one as JSON writes it; `true` and `false` are `\"true\"` and `\"false\"`, 1 and 0. `null` stays `null` where the schema permits it.",
    mistake: Mistake {
        what: "A number as a text, without `back`: somebody may write a text later that is no number.",
        schema: r#"{ "type": "object", "properties": { "port": { "type": "integer" } } }"#,
        step: r#"{ "convert": "/port", "from": "number", "to": "string" }"#,
    },
};

#[derive(Debug)]
struct Convert {
    at: Path,
    from: Format,
    to: Format,
    otherwise: Option<Value<'static>>,
    back: Option<Value<'static>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Time(TimeFormat),
    Scalar(Scalar),
}

const NAMES: [&str; 6] = ["epoch-s", "epoch-ms", "iso", "string", "number", "boolean"];

const FORMATS: [(&str, Format); 6] = [
    (NAMES[0], Format::Time(TimeFormat::EpochSeconds)),
    (NAMES[1], Format::Time(TimeFormat::EpochMilliseconds)),
    (NAMES[2], Format::Time(TimeFormat::Iso)),
    (NAMES[3], Format::Scalar(Scalar::Text)),
    (NAMES[4], Format::Scalar(Scalar::Number)),
    (NAMES[5], Format::Scalar(Scalar::Truth)),
];

fn read(fields: &mut Fields<'_>) -> Result<Box<dyn Step>> {
    let at = fields.path("convert")?;
    let (from, to) = (fields.word("from", &FORMATS)?, fields.word("to", &FORMATS)?);
    if from == to {
        return Err(Error::new(ErrorKind::Chain, "expected \"from\" and \"to\" to differ, found them equal"));
    }
    if matches!(from, Format::Time(_)) != matches!(to, Format::Time(_)) {
        let message = "expected two ways to write a time, or two of string, number and boolean; found one of each";
        return Err(Error::new(ErrorKind::Chain, message));
    }
    let (otherwise, back) = (fields.optional_value("else")?, fields.optional_value("back")?);
    Ok(Box::new(Convert { at, from, to, otherwise, back }))
}

impl Step for Convert {
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let before = lowering.schema.require(&self.at)?;
        let expected = self.from.ty();
        before.types().expect_within(Types::from(expected).or(Type::Null), &self.at)?;
        let whole = !before.types().include(expected) && before.types().include(Type::Integer);
        let (forward, backward) = match (self.from, self.to) {
            (Format::Time(from), Format::Time(to)) => {
                (Function::Time { from, to, whole: false }, Function::Time { from: to, to: from, whole })
            }
            (Format::Scalar(from), Format::Scalar(to)) => {
                (Function::Cast { from, to }, Function::Cast { from: to, to: from })
            }
            _ => unreachable!("a step between a time and a scalar is refused when it is read"),
        };
        let after = self.to.schema(self.from);
        let forward = match &self.otherwise {
            None => forward,
            Some(value) => {
                after.validate(value).map_err(|error| error.of_kind(ErrorKind::Chain))?;
                Function::Within { function: Box::new(forward), fits: after.clone().or_null(), otherwise: value.clone() }
            }
        };
        let total = self.comes_back(&before, whole);
        lowering.edit_with_back(&self.at, forward, backward, total, self.back.as_ref())?;
        let after = if before.types().include(Type::Null) { after.or_null() } else { after };
        lowering.schema.replace(&self.at, after);
        Ok(())
    }

    fn words(&self) -> String {
        format!("{} is converted from {} to {}", self.at, self.from.name(), self.to.name())
    }
}

impl Convert {
    /// Whether whatever may stand there later has a way back that fits.
    fn comes_back(&self, before: &Schema, whole: bool) -> bool {
        match (self.from, self.to) {
            (Format::Time(from), _) => before.is_plain() || !whole && before.includes(&schema_of_time(from)),
            // Only two values may stand there.
            (from, Format::Scalar(Scalar::Truth)) => before.includes(&Format::Scalar(Scalar::Truth).spelled_as(from)),
            (Format::Scalar(Scalar::Truth), _) => {
                before.includes(&Schema::one_of(vec![Value::Bool(true), Value::Bool(false)]))
            }
            _ => false,
        }
    }
}

impl Format {
    fn name(self) -> &'static str {
        FORMATS.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }

    fn ty(self) -> Type {
        match self {
            Format::Time(TimeFormat::Iso) | Format::Scalar(Scalar::Text) => Type::String,
            Format::Time(_) | Format::Scalar(Scalar::Number) => Type::Number,
            Format::Scalar(Scalar::Truth) => Type::Boolean,
        }
    }

    /// What may stand there that was converted from another format.
    fn schema(self, from: Self) -> Schema {
        match self {
            Format::Time(format) => schema_of_time(format),
            Format::Scalar(_) if from == Format::Scalar(Scalar::Truth) => from.spelled_as(self),
            Format::Scalar(_) => Schema::of_types(self.ty().into()),
        }
    }

    /// The two truth values in another format.
    fn spelled_as(self, other: Self) -> Schema {
        match other {
            Format::Scalar(Scalar::Text) => Schema::one_of(vec![Value::from("true"), Value::from("false")]),
            _ => Schema::one_of(vec![Value::from(1), Value::from(0)]),
        }
    }
}
