//! What a schema says of objects.

use std::collections::BTreeSet;

use litemap::LiteMap;

use super::parts::{meet_boxed, some_unless_any};
use super::{About, Schema, Types};
use crate::document::{Json, Reading, Value, write_members};
use crate::json_object;

/// One form that objects may have.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shape {
    pub(super) members: LiteMap<String, Member>,
    /// What members beyond the declared ones must fit; never the schema that permits everything.
    pub(super) rest: Option<Box<Schema>>,
    pub(super) about: About,
}

/// What a schema is called is for readers of schemas, not for those who validate.
impl Json for Shape {
    fn write(&self, out: &mut String) {
        write_members(&[("members", Some(&self.members)), ("rest", Some(&self.rest))], out);
    }

    fn read(value: &Value<'_>, reading: &mut Reading) -> Self {
        let object = reading.members(value);
        let (members, rest) = (reading.member(&object, "members"), reading.member(&object, "rest"));
        Self { members, rest, about: About::default() }
    }
}

/// A declared member.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) schema: Schema,
    pub(super) required: bool,
}

json_object!(Member { "required": required; "schema": schema });

impl Shape {
    /// What the schema says of a member, declared or not.
    pub(super) fn part(&self, name: &str) -> Schema {
        let rest = || self.rest.as_deref().cloned().unwrap_or_default();
        self.members.get(name).map_or_else(rest, |member| member.schema.clone())
    }

    /// Declares a member that must be there, whatever else is said of it.
    pub(super) fn require(&mut self, name: String) {
        let schema = self.part(&name);
        self.members.insert(name, Member { schema, required: true });
    }

    /// What all values must fit, where no member is declared by its name and any is permitted.
    pub(super) fn map_values(&self) -> Option<Schema> {
        let values = self.rest.as_deref().cloned().unwrap_or_default();
        (self.members.is_empty() && values.types() != Types::NONE).then_some(values)
    }

    /// Whether no object at all has this form.
    pub(super) fn is_impossible(&self) -> bool {
        self.members.values().any(|member| member.required && member.schema.types() == Types::NONE)
    }

    /// Whether a required member with a finite list of values in each says which of the two an object may have.
    pub(super) fn is_told_from(&self, other: &Self) -> bool {
        self.tags().any(|(name, values)| {
            let others = other.tags().find(|(tag, _)| *tag == name);
            others.is_some_and(|(_, others)| !values.iter().any(|value| others.contains(value)))
        })
    }

    /// The required members that permit only listed values.
    pub(super) fn tags(&self) -> impl Iterator<Item = (&str, &[Value<'static>])> {
        let required = self.members.iter().filter(|(_, member)| member.required);
        required.filter_map(|(name, member)| member.schema.values().map(|values| (&**name, values)))
    }

    /// A form that permits what either permits. A member is declared where both declare it, or the one that does not
    /// says of its other members what they are.
    pub(super) fn join(&self, other: &Self) -> Self {
        let known = |side: &Self, name: &str| side.rest.is_some() || side.members.contains_key(name);
        let names = self.names(other).filter(|name| known(self, name) && known(other, name));
        let members = names.map(|name| {
            let required = self.requires(name) && other.requires(name);
            (name.to_owned(), Member { schema: self.part(name).join(&other.part(name)), required })
        });
        let rest = self.rest.as_ref().zip(other.rest.as_ref()).and_then(|(a, b)| some_unless_any(a.join(b)));
        Self { members: members.collect(), rest, about: About::default() }
    }

    /// The form of the objects that have both.
    pub(super) fn meet(&self, other: &Self) -> Self {
        let members = self.names(other).map(|name| {
            let required = self.requires(name) || other.requires(name);
            (name.to_owned(), Member { schema: self.part(name).meet(&other.part(name)), required })
        });
        Self {
            members: members.collect(),
            rest: meet_boxed(&self.rest, &other.rest),
            about: self.about.or(&other.about),
        }
    }

    fn requires(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|member| member.required)
    }

    fn names<'s>(&'s self, other: &'s Self) -> impl Iterator<Item = &'s str> {
        let names: BTreeSet<_> = self.members.keys().chain(other.members.keys()).map(String::as_str).collect();
        names.into_iter()
    }
}
