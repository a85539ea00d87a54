use std::borrow::Cow;
use std::collections::HashSet;

use super::Value;
use crate::error::Result;

/// The members of a JSON object in the order they were written. Keys are unique.
#[derive(Clone, Debug, Default)]
pub struct Object<'a> {
    members: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Object<'a> {
    /// An object without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes members as they were read. Where a key stands twice the last one wins, as in `JSON.parse`.
    pub(super) fn from_members(mut members: Vec<(Cow<'a, str>, Value<'a>)>) -> Self {
        if has_twins(&members) {
            let mut seen = HashSet::new();
            members.reverse();
            members.retain(|(key, _)| seen.insert(key.clone()));
            members.reverse();
        }
        Self { members }
    }

    /// The value of a member.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.members.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value of a member, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value<'a>> {
        self.members.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Sets a member, in its place or at the end; answers with what stood there.
    pub fn insert(&mut self, key: impl Into<Cow<'a, str>>, value: Value<'a>) -> Option<Value<'a>> {
        let key = key.into();
        match self.get_mut(&key) {
            Some(old) => Some(std::mem::replace(old, value)),
            None => {
                self.members.push((key, value));
                None
            }
        }
    }

    /// Sets a member where there is a value for it.
    pub fn extend_with(&mut self, key: &'static str, value: Option<Value<'a>>) {
        if let Some(value) = value {
            self.insert(key, value);
        }
    }

    /// Takes a member out; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Value<'a>> {
        let at = self.members.iter().position(|(name, _)| name == key)?;
        Some(self.members.remove(at).1)
    }

    /// The members in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value<'a>)> {
        self.members.iter().map(|(key, value)| (&**key, value))
    }

    /// The members in order, their values to change.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&str, &mut Value<'a>)> {
        self.members.iter_mut().map(|(key, value)| (&**key, value))
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn into_owned(self) -> Result<Object<'static>> {
        let owned = |(key, value): (Cow<'a, str>, Value<'a>)| Ok((Cow::Owned(key.into_owned()), value.into_owned()?));
        Ok(Object { members: self.members.into_iter().map(owned).collect::<Result<_>>()? })
    }
}

/// Few keys are compared with each other, which is quicker than to hash them.
fn has_twins(members: &[(Cow<'_, str>, Value<'_>)]) -> bool {
    const FEW: usize = 24;
    let mut keys = members.iter().map(|(key, _)| key);
    if members.len() > FEW {
        let mut seen = HashSet::with_capacity(members.len());
        return !keys.all(|key| seen.insert(key));
    }
    keys.enumerate().any(|(index, key)| members[..index].iter().any(|(earlier, _)| earlier == key))
}

impl<'a> IntoIterator for Object<'a> {
    type Item = (Cow<'a, str>, Value<'a>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.members.into_iter()
    }
}

impl<'a> FromIterator<(Cow<'a, str>, Value<'a>)> for Object<'a> {
    fn from_iter<I: IntoIterator<Item = (Cow<'a, str>, Value<'a>)>>(members: I) -> Self {
        Self::from_members(members.into_iter().collect())
    }
}
