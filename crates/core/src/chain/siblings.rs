use litemap::LiteMap;

use super::Residues;
use crate::document::{Digest, Number, Object, Value};
use crate::error::{Error, ErrorKind, Result};

/// What a parent remembers of children that left it, or came back: what cannot be told from the children themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Siblings<'a> {
    /// What was there instead of a list.
    pub(super) instead: Option<Instead>,
    /// What stood, where the children are apart, in the place of their list.
    pub(super) displaced: Option<Value<'a>>,
    /// How many enclosing objects exist only for the list.
    pub(super) made: usize,
    /// The keys of the children in the order of the list, where no field says it.
    pub(super) order: Vec<String>,
    /// Of single children, by their keys.
    pub(super) children: LiteMap<String, Child<'a>>,
}

/// What may be there instead of a list that has no items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instead {
    Absent,
    Null,
}

/// What is remembered of one child.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Child<'a> {
    /// How the item looks in the list, and how many equal ones come before it: where its key does not follow from it.
    pub(super) mark: Option<(Digest, usize)>,
    /// What stood in the item where the child has its parent's key or its place.
    pub(super) hidden: LiteMap<String, Value<'a>>,
    /// Where it stood in the list, and what it said of its place then, if that was something else.
    pub(super) place: Option<(usize, Option<Value<'a>>)>,
    /// What the migrations after this one remember of it while it is no record.
    pub(super) residues: Residues<'a>,
}

impl<'a> Siblings<'a> {
    pub(super) fn to_value(&self) -> Value<'a> {
        let mut object = Object::new();
        let instead = self.instead.map(|instead| match instead {
            Instead::Absent => Value::from("absent"),
            Instead::Null => Value::Null,
        });
        object.extend_with("instead", instead);
        object.extend_with("displaced", self.displaced.clone());
        object.extend_with("made", (self.made > 0).then(|| count(self.made)));
        let order = self.order.iter().map(|key| Value::from(&**key)).collect();
        object.extend_with("order", (!self.order.is_empty()).then_some(Value::Array(order)));
        let children =
            self.children.iter().map(|(key, child)| Value::Array(vec![Value::from(&**key), child.to_value()]));
        object.extend_with("children", (!self.children.is_empty()).then(|| Value::Array(children.collect())));
        Value::Object(object)
    }

    pub(super) fn from_value(value: &Value<'a>) -> Result<Self> {
        let mut object = value.members().ok_or_else(malformed)?;
        let instead = object.remove("instead").map(|instead| match instead.kind() {
            crate::document::Kind::Null => Instead::Null,
            _ => Instead::Absent,
        });
        let order = list(object.remove("order"))?.iter().map(text).collect::<Result<_>>()?;
        let child = |pair: &Value<'a>| match &list(Some(pair.clone()))?[..] {
            [key, child] => Ok((text(key)?, Child::from_value(child)?)),
            _ => Err(malformed()),
        };
        let children = list(object.remove("children"))?.iter().map(child).collect::<Result<_>>()?;
        let made = object.remove("made").map_or(Ok(0), |made| number(&made))?;
        Ok(Self { instead, displaced: object.remove("displaced"), made, order, children })
    }
}

impl<'a> Child<'a> {
    pub(super) fn is_worth_keeping(&self) -> bool {
        *self != Self::default()
    }

    fn to_value(&self) -> Value<'a> {
        let mut object = Object::new();
        let mark = self.mark.map(|(digest, nth)| Value::Array(vec![Value::from(&*digest.to_hex()), count(nth)]));
        object.extend_with("mark", mark);
        let hidden = self.hidden.iter().map(|(name, value)| (name.clone().into(), value.clone())).collect();
        object.extend_with("hidden", (!self.hidden.is_empty()).then_some(Value::Object(hidden)));
        let place = self.place.as_ref();
        let place = place.map(|(at, said)| Value::Array(std::iter::once(count(*at)).chain(said.clone()).collect()));
        object.extend_with("place", place);
        // As a text: it is as deep as a record's own.
        let residues = (!self.residues.is_empty()).then(|| Value::from(&*self.residues.to_value().to_json()));
        object.extend_with("residues", residues);
        Value::Object(object)
    }

    fn from_value(value: &Value<'a>) -> Result<Self> {
        let mut object = value.members().ok_or_else(malformed)?;
        let mark = match &list(object.remove("mark"))?[..] {
            [] => None,
            [digest, nth] => Some((Digest::from_hex(&text(digest)?).ok_or_else(malformed)?, number(nth)?)),
            _ => return Err(malformed()),
        };
        let hidden = match object.remove("hidden") {
            None => LiteMap::new(),
            Some(hidden) => {
                let members = hidden.members().ok_or_else(malformed)?;
                members.into_iter().map(|(name, value)| (name.into_owned(), value)).collect()
            }
        };
        let place = match &list(object.remove("place"))?[..] {
            [] => None,
            [at] => Some((number(at)?, None)),
            [at, said] => Some((number(at)?, Some(said.clone()))),
            _ => return Err(malformed()),
        };
        let residues = match object.remove("residues") {
            None => Residues::default(),
            Some(residues) => {
                Residues::from_value(&Value::parse_inside(&text(&residues)?, super::residues::LEVELS)?.into_owned()?)?
            }
        };
        Ok(Self { mark, hidden, place, residues })
    }
}

fn count(count: usize) -> Value<'static> {
    Value::from(i64::try_from(count).unwrap_or(i64::MAX))
}

fn number(value: &Value<'_>) -> Result<usize> {
    let number = value.number().as_ref().and_then(Number::to_i64);
    number.and_then(|number| usize::try_from(number).ok()).ok_or_else(malformed)
}

fn text(value: &Value<'_>) -> Result<String> {
    value.text()?.map(std::borrow::Cow::into_owned).ok_or_else(malformed)
}

/// The items of a list that may be missing.
fn list<'a>(value: Option<Value<'a>>) -> Result<Vec<Value<'a>>> {
    match value.map(|value| value.opened()).transpose()? {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(malformed()),
    }
}

fn malformed() -> Error {
    Error::new(
        ErrorKind::Json,
        "expected what Exuvia wrote of a record's children, found something else; restore a snapshot",
    )
}
