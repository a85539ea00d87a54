//! Functions from a value that may be absent to one that may be absent. SQL's NULL is absent, `'null'` is JSON's.
//!
//! A function that is not defined for a value has NULL for it, so each says besides when that is meant.

use exuvia_core::document::{Kind, Value};
use exuvia_core::lens::{Anchor, Function, Scalar, Supply, TimeFormat, Unmapped};

use super::literal::{constant, literal};
use super::routine::Routine;
use super::site::Site;
use super::{Reason, Result};

/// A function that was applied.
pub(super) struct Applied {
    /// The variable or constant with the value.
    pub(super) value: String,
    /// Whether the function is not defined for what it was given: a condition that is never NULL, where it can be.
    pub(super) fails: Option<String>,
}

/// Up to how many characters a number or a time is read in SQL; longer ones go through the interpreter.
const LONGEST: usize = 400;

/// Applies a function to what a variable holds. `out` is a variable for the value, where one is needed.
pub(super) fn apply(
    function: &Function,
    input: &str,
    out: &str,
    site: &Site,
    routine: &mut Routine,
) -> Result<Applied> {
    let total = |value: String| Applied { value, fails: None };
    match function {
        Function::Keep => return Ok(total(input.to_owned())),
        Function::Withdraw(_) => return Ok(total("NULL::jsonb".to_owned())),
        Function::Within { function, fits, otherwise } => {
            routine.scoped(|routine| {
                let inner = routine.json();
                let found = apply(function, input, &inner, site, routine)?;
                routine.line(format_args!("{out} := {};", found.value));
                Ok(())
            })?;
            note_depth(otherwise, routine);
            let (fits, otherwise) = (routine.fits(fits, out)?, constant(otherwise)?);
            // Where the inner function is not defined its value is NULL.
            routine.line(format_args!(
                "{out} := CASE WHEN {input} IS NULL THEN NULL WHEN {out} IS NOT NULL AND {fits} THEN {out} ELSE {otherwise} END;"
            ));
            return Ok(total(out.to_owned()));
        }
        Function::Enlist | Function::Enfold(_) => routine.deepened_by(input),
        Function::Constant(Supply::Literal(value)) | Function::Default { value: Supply::Literal(value), .. } => {
            note_depth(value, routine);
        }
        _ => {}
    }
    if reads_text(function) {
        routine.leave_when(format_args!("{input} IS NOT NULL AND length({input}::text) > {LONGEST}"));
    }
    let expression = expression(function, input, site, routine)?;
    routine.line(format_args!("{out} := {expression};"));
    Ok(Applied { value: out.to_owned(), fails: failure(function, input, out) })
}

/// Whether the time or number in a text decides what comes out.
fn reads_text(function: &Function) -> bool {
    matches!(
        function,
        Function::Time { from: TimeFormat::Iso, .. } | Function::Cast { from: Scalar::Text, to: Scalar::Number }
    )
}

/// A value that has an inside may nest deeper than what stood in its place.
fn note_depth(value: &Value<'_>, routine: &mut Routine) {
    if matches!(value.kind(), Kind::Array | Kind::Object) {
        routine.deepened();
    }
}

/// When a function is not defined for its value.
fn failure(function: &Function, input: &str, out: &str) -> Option<String> {
    let another = |kind: &str| format!("({input} IS NOT NULL AND jsonb_typeof({input}) <> '{kind}')");
    match function {
        Function::Constant(supply) | Function::Default { value: supply, .. } => match supply {
            Supply::Now(_) => Some(format!("{out} IS NULL")),
            Supply::Literal(_) | Supply::Key { .. } => None,
        },
        Function::Table { unmapped: Unmapped::Refuse, .. }
        | Function::Time { .. }
        | Function::Cast { .. }
        | Function::Not
        | Function::Split(_)
        | Function::Join(_)
        | Function::Replace { .. }
        | Function::Truncate(_) => Some(format!("({input} IS NOT NULL AND {out} IS NULL)")),
        Function::First => Some(another("array")),
        Function::Unfold(_) => Some(another("object")),
        _ => None,
    }
}

/// The value of a function, as an expression over a variable.
fn expression(function: &Function, v: &str, site: &Site, routine: &mut Routine) -> Result<String> {
    let text = |made: String| format!("CASE jsonb_typeof({v}) WHEN 'null' THEN {v} WHEN 'string' THEN {made} END");
    Ok(match function {
        Function::Keep | Function::Withdraw(_) | Function::Within { .. } => {
            unreachable!("these are applied without an expression")
        }
        Function::Constant(supply) => supplied(supply, site)?,
        Function::Default { value, fits } => {
            let (supplied, fits) = (supplied(value, site)?, routine.fits(fits, v)?);
            match fits.as_str() {
                "true" => format!("coalesce({v}, {supplied})"),
                _ => format!("CASE WHEN {v} IS NOT NULL AND {fits} THEN {v} ELSE {supplied} END"),
            }
        }
        Function::Admit(fits) => format!("CASE WHEN {v} IS NOT NULL AND {} THEN {v} END", routine.fits(fits, v)?),
        Function::Enclose => format!("CASE WHEN jsonb_typeof({v}) = 'object' THEN {v} ELSE '{{}}'::jsonb END"),
        Function::Prune(fits) => {
            let fits = routine.fits(fits, v)?;
            format!("CASE WHEN {v} IS NOT NULL AND {v} <> '{{}}' AND {fits} THEN {v} END")
        }
        Function::Table { pairs, unmapped } => table(pairs, unmapped, v)?,
        Function::Time { from, to, whole } => time(v, *from, *to, *whole),
        Function::Cast { from, to } => cast(*from, *to, v)?,
        Function::Not => format!(
            "CASE {v} WHEN 'true' THEN 'false'::jsonb WHEN 'false' THEN 'true'::jsonb WHEN 'null' THEN 'null'::jsonb END"
        ),
        Function::Split(by) if by.is_empty() => return Err(Reason::new("a text split at every character")),
        Function::Split(by) => text(format!(
            "CASE {v} WHEN '\"\"' THEN '[]'::jsonb ELSE to_jsonb(string_to_array({v} #>> '{{}}', {})) END",
            literal(by)?
        )),
        Function::Join(by) => format!(
            "CASE jsonb_typeof({v}) WHEN 'null' THEN {v} WHEN 'array' THEN exuvia.joined({v}, {}) END",
            literal(by)?
        ),
        Function::Replace { find, with, anchor } => {
            text(format!("to_jsonb({})", replaced(find, with, *anchor, &format!("({v} #>> '{{}}')"))?))
        }
        Function::Truncate(length) => {
            // No text that `jsonb` holds is as long as that.
            let length = i32::try_from(*length).unwrap_or(i32::MAX);
            text(format!("to_jsonb(left({v} #>> '{{}}', {length}))"))
        }
        Function::Enlist => format!("CASE WHEN {v} IS NOT NULL THEN jsonb_build_array({v}) END"),
        Function::First => format!("CASE WHEN jsonb_typeof({v}) = 'array' THEN {v}->0 END"),
        Function::Enfold(name) => {
            format!("CASE WHEN {v} IS NOT NULL THEN jsonb_build_object({}::text, {v}) END", literal(name)?)
        }
        Function::Unfold(name) => format!("({v}->{}::text)", literal(name)?),
        Function::Custom { .. } => {
            return Err(Reason::new("a function of the author's own, which only the interpreter calls"));
        }
    })
}

fn supplied(supply: &Supply, site: &Site) -> Result<String> {
    let now = "to_jsonb(now)";
    Ok(match supply {
        Supply::Literal(value) => constant(value)?,
        Supply::Key { prefix } => format!("to_jsonb({}::text || {})", literal(prefix)?, site.scope),
        Supply::Now(TimeFormat::EpochMilliseconds) => now.to_owned(),
        Supply::Now(format) => time(now, TimeFormat::EpochMilliseconds, *format, true),
    })
}

fn time(v: &str, from: TimeFormat, to: TimeFormat, whole: bool) -> String {
    format!("exuvia.time({v}, '{}', '{}', {whole})", from.word(), to.word())
}

fn table(pairs: &[(Value<'static>, Value<'static>)], unmapped: &Unmapped, v: &str) -> Result<String> {
    let other = match unmapped {
        Unmapped::Keep => v.to_owned(),
        Unmapped::Default(value) => format!("CASE WHEN {v} IS NOT NULL THEN {} END", constant(value)?),
        Unmapped::Refuse => "NULL::jsonb".to_owned(),
    };
    if pairs.is_empty() {
        return Ok(other);
    }
    let mut out = format!("CASE {v}");
    for (from, to) in pairs {
        out.push_str(&format!(" WHEN {} THEN {}", constant(from)?, constant(to)?));
    }
    Ok(format!("{out} ELSE {other} END"))
}

fn cast(from: Scalar, to: Scalar, v: &str) -> Result<String> {
    let pairs = |pairs: [(&str, &str); 2]| {
        let [(a, b), (c, d)] = pairs;
        format!("CASE {v} WHEN '{a}' THEN '{b}'::jsonb WHEN '{c}' THEN '{d}'::jsonb WHEN 'null' THEN 'null'::jsonb END")
    };
    Ok(match (from, to) {
        (Scalar::Text, Scalar::Number) => {
            format!("CASE jsonb_typeof({v}) WHEN 'null' THEN {v} WHEN 'string' THEN exuvia.number({v} #>> '{{}}') END")
        }
        (Scalar::Number, Scalar::Text) => {
            format!("CASE jsonb_typeof({v}) WHEN 'null' THEN {v} WHEN 'number' THEN exuvia.digits({v}) END")
        }
        (Scalar::Text, Scalar::Truth) => pairs([("\"true\"", "true"), ("\"false\"", "false")]),
        (Scalar::Truth, Scalar::Text) => pairs([("true", "\"true\""), ("false", "\"false\"")]),
        (Scalar::Number, Scalar::Truth) => pairs([("1", "true"), ("0", "false")]),
        (Scalar::Truth, Scalar::Number) => pairs([("true", "1"), ("false", "0")]),
        (Scalar::Text, Scalar::Text) | (Scalar::Number, Scalar::Number) | (Scalar::Truth, Scalar::Truth) => {
            return Err(Reason::new("a conversion between two types that are one"));
        }
    })
}

/// A text with a part replaced, of an expression for a text.
fn replaced(find: &str, with: &str, anchor: Anchor, text: &str) -> Result<String> {
    let length = find.chars().count();
    if length == 0 && anchor == Anchor::Anywhere {
        return Err(Reason::new("nothing replaced everywhere"));
    }
    let (find, with) = (literal(find)?, literal(with)?);
    Ok(match anchor {
        Anchor::Anywhere => format!("replace({text}, {find}, {with})"),
        Anchor::Prefix => format!(
            "CASE WHEN starts_with({text}, {find}) THEN {with} || substr({text}, {}) ELSE {text} END",
            length + 1
        ),
        Anchor::Suffix => format!(
            "CASE WHEN right({text}, {length}) = {find} THEN left({text}, length({text}) - {length}) || {with} ELSE {text} END"
        ),
    })
}
