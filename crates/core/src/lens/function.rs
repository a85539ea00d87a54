use super::cast::{Scalar, cast};
use super::instant::convert_time;
use super::text::{self, Anchor};
use super::{Scope, TimeFormat, Way};
use crate::document::{Kind, Object, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::json_variants;
use crate::schema::Schema;

/// A function from a value that may be absent to a value that may be absent: a closed set, so that each can be told in
/// words and compiled for a database. Absent stays absent, and `null` stays `null`, unless the function says otherwise.
#[derive(Clone, Debug)]
pub enum Function {
    /// The value as it is.
    Keep,
    /// Absent. Where the residue says that something was there before, what became of it stays, if it fits: an unknown
    /// member that a step made its own comes back with its edits.
    Withdraw(Schema),
    /// This value, whatever is there.
    Constant(Supply),
    /// This value where there is none, or where what is there does not fit.
    Default {
        /// What stands in.
        value: Supply,
        /// What a value that is there must fit to stay.
        fits: Schema,
    },
    /// The value where it fits, else absent.
    Admit(Schema),
    /// The object that is there, or an empty one.
    Enclose,
    /// The value that is there; absent where it is an empty object or does not fit.
    Prune(Schema),
    /// The counterpart of the value in a table; `null` is a value like others.
    Table {
        /// Pairs of value and counterpart.
        pairs: Vec<(Value<'static>, Value<'static>)>,
        /// What happens to any other value.
        unmapped: Unmapped,
    },
    /// A point in time, written differently.
    Time {
        /// How it is written.
        from: TimeFormat,
        /// How it shall be written.
        to: TimeFormat,
        /// Whether a number must be whole; the digits below the unit are then cut.
        whole: bool,
    },
    /// The same text, number or truth value as another type.
    Cast {
        /// The type that it has.
        from: Scalar,
        /// The type that it gets.
        to: Scalar,
    },
    /// `true` for `false`, and the other way.
    Not,
    /// A text cut at each separator; an empty text has no parts.
    Split(String),
    /// A list of texts joined by a separator.
    Join(String),
    /// A text with a part replaced.
    Replace {
        /// What is looked for.
        find: String,
        /// What takes its place.
        with: String,
        /// Where it is looked for.
        anchor: Anchor,
    },
    /// The first so many code points of a text.
    Truncate(usize),
    /// A list of nothing but the value; `null` is a value like others.
    Enlist,
    /// The first item of a list; absent where it is empty.
    First,
    /// An object of nothing but the value, under this name; `null` is a value like others.
    Enfold(String),
    /// The member of this name; absent where there is none.
    Unfold(String),
    /// What somebody else's code makes of it.
    Custom {
        /// The name that it is registered under.
        name: String,
        /// The revision meant.
        revision: u32,
        /// Which of its two functions.
        way: Way,
        /// What its value must fit: nobody knows what somebody else's code makes.
        fits: Schema,
    },
    /// Another function where it has a value, and one that fits; else this value.
    Within {
        /// The function.
        function: Box<Function>,
        /// What its value must fit.
        fits: Schema,
        /// What stands in.
        otherwise: Value<'static>,
    },
}

json_variants!(Function {
    "keep": Keep {},
    "withdraw": Withdraw { 0: fits },
    "constant": Constant { 0: value },
    "default": Default { value: value, fits: fits },
    "admit": Admit { 0: fits },
    "enclose": Enclose {},
    "prune": Prune { 0: fits },
    "table": Table { pairs: pairs, unmapped: unmapped },
    "time": Time { from: from, to: to, whole: whole },
    "cast": Cast { from: from, to: to },
    "not": Not {},
    "split": Split { 0: by },
    "join": Join { 0: by },
    "replace": Replace { find: find, with: with, anchor: anchor },
    "truncate": Truncate { 0: length },
    "enlist": Enlist {},
    "first": First {},
    "enfold": Enfold { 0: name },
    "unfold": Unfold { 0: name },
    "custom": Custom { name: name, revision: revision, way: way, fits: fits },
    "within": Within { function: function, fits: fits, otherwise: otherwise },
});

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

json_variants!(Unmapped { "keep": Keep {}, "default": Default { 0: value }, "refuse": Refuse {} });

/// A value that a step brings.
#[derive(Clone, Debug)]
pub enum Supply {
    /// Always the same.
    Literal(Value<'static>),
    /// A text: this prefix, then the record's key and the place in the record.
    Key {
        /// What the text starts with.
        prefix: String,
    },
    /// The time of the run.
    Now(TimeFormat),
}

json_variants!(Supply { "literal": Literal { 0: value }, "key": Key { prefix: prefix }, "now": Now { 0: format } });

impl Supply {
    fn value(&self, scope: &Scope<'_>) -> Result<Value<'static>> {
        match self {
            Supply::Literal(value) => Ok(value.clone()),
            Supply::Key { prefix } => Ok(Value::from(format!("{prefix}{scope}").as_str())),
            Supply::Now(TimeFormat::EpochMilliseconds) => Ok(Value::from(scope.context.now)),
            Supply::Now(format) => {
                convert_time(TimeFormat::EpochMilliseconds, *format, true, &Value::from(scope.context.now))
            }
        }
    }
}

impl Function {
    /// The value of the function.
    ///
    /// # Errors
    /// [`ErrorKind::Unfit`] for a value that it is not defined for.
    pub(crate) fn apply<'a>(&self, value: Option<Value<'a>>, scope: &Scope<'_>) -> Result<Option<Value<'a>>> {
        let present = match (self, value) {
            (Function::Constant(supply), _) | (Function::Default { value: supply, .. }, None) => {
                return supply.value(scope).map(Some);
            }
            (Function::Enclose, None) => return Ok(Some(Value::Object(Object::new()))),
            (Function::Withdraw(_), _) | (_, None) => return Ok(None),
            (Function::Keep, Some(value)) => return Ok(Some(value)),
            (_, Some(value)) => value,
        };
        if present.kind() == Kind::Null && self.leaves_null() {
            return Ok(Some(present));
        }
        self.apply_present(present, scope)
    }

    /// As [`Function::apply`], where `was_there` says that the residue remembers a value on the side that is entered.
    pub(super) fn apply_where<'a>(
        &self,
        was_there: bool,
        value: Option<Value<'a>>,
        scope: &Scope<'_>,
    ) -> Result<Option<Value<'a>>> {
        match self {
            Function::Withdraw(fits) if was_there => Ok(value.filter(|value| fits.accepts(value))),
            _ => self.apply(value, scope),
        }
    }

    fn leaves_null(&self) -> bool {
        matches!(
            self,
            Function::Time { .. }
                | Function::Cast { .. }
                | Function::Not
                | Function::Split(_)
                | Function::Join(_)
                | Function::Replace { .. }
                | Function::Truncate(_)
        )
    }

    fn apply_present<'a>(&self, value: Value<'a>, scope: &Scope<'_>) -> Result<Option<Value<'a>>> {
        match self {
            Function::Keep | Function::Withdraw(_) | Function::Constant(_) => Ok(Some(value)),
            Function::Default { fits, .. } if fits.accepts(&value) => Ok(Some(value)),
            Function::Default { value: default, .. } => default.value(scope).map(Some),
            Function::Admit(fits) => Ok(fits.accepts(&value).then_some(value)),
            Function::Enclose if value.kind() == Kind::Object => Ok(Some(value)),
            Function::Enclose => Ok(Some(Value::Object(Object::new()))),
            Function::Prune(fits) => {
                let empty = matches!(value.opened()?, Value::Object(object) if object.is_empty());
                Ok((!empty && fits.accepts(&value)).then_some(value))
            }
            Function::Table { pairs, unmapped } => look_up(pairs, unmapped, value).map(Some),
            Function::Time { from, to, whole } => convert_time(*from, *to, *whole, &value).map(Some),
            Function::Cast { from, to } => cast(*from, *to, &value).map(Some),
            Function::Not => negate(&value).map(Some),
            Function::Split(by) => text::split(by, &value).map(Some),
            Function::Join(by) => text::join(by, &value).map(Some),
            Function::Replace { find, with, anchor } => text::replace(find, with, *anchor, &value).map(Some),
            Function::Truncate(length) => text::truncate(*length, &value).map(Some),
            Function::Enlist => Ok(Some(Value::Array(vec![value]))),
            Function::First => match value.opened()? {
                Value::Array(items) => Ok(items.into_iter().next()),
                other => Err(unfit("a list", &other)),
            },
            Function::Enfold(name) => Ok(Some(Value::Object([(name.clone().into(), value)].into_iter().collect()))),
            Function::Unfold(name) => match value.opened()? {
                Value::Object(mut object) => Ok(object.remove(name)),
                other => Err(unfit("an object", &other)),
            },
            Function::Custom { name, revision, way, fits } => {
                let made = scope.customs.run(name, *revision, *way, value)?;
                fits.validate(&made)?;
                Ok(Some(made))
            }
            Function::Within { function, fits, otherwise } => {
                let found = function.apply(Some(value), scope).ok().flatten().filter(|found| fits.accepts(found));
                Ok(Some(found.unwrap_or_else(|| otherwise.clone())))
            }
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

fn negate(value: &Value<'_>) -> Result<Value<'static>> {
    match value.opened()? {
        Value::Bool(truth) => Ok(Value::Bool(!truth)),
        other => Err(unfit("true or false", &other)),
    }
}

pub(super) fn unfit(expected: &str, found: &Value<'_>) -> Error {
    Error::new(ErrorKind::Unfit, format!("expected {expected}, found {}", found.kind()))
}
