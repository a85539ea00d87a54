//! A schema drafted from records that are there.

use std::collections::{BTreeMap, BTreeSet};

use super::parts::some_unless_any;
use super::{Member, Schema, Shape, Type, Types};
use crate::document::{Kind, Value};
use crate::error::Result;

/// From here on an object whose keys change is a map.
const MANY_KEYS: usize = 20;
/// More keys than anybody declares: a map, whatever its keys. Bounds what is held of any number of records.
const MOST_KEYS: usize = 1_000;

/// Looks at records one by one and says what they have in common. What it holds does not grow with their number.
///
/// - Types are those seen; `integer` where all numbers are whole.
/// - A member is required where every object had it.
/// - An object with more than 20 different keys, none of them in more than half of the objects, is a map: its values
///   share one schema. So is one with more than 1000 keys.
/// - Texts become an `enum` only when asked for: where there are at most so many different ones, each seen twice on
///   average.
#[derive(Debug)]
pub struct Inference {
    most_values: usize,
    seen: Seen,
}

impl Inference {
    /// `enums` is how many different texts a place may hold to become an `enum`; 0 is for none.
    #[must_use]
    pub fn new(enums: usize) -> Self {
        Self { most_values: enums, seen: Seen::default() }
    }

    /// Looks at a record.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Json`] where a text in it is no Unicode.
    pub fn see(&mut self, value: &Value<'_>) -> Result<()> {
        self.seen.see(value, self.most_values)
    }

    /// A schema that every record fits. Of no records it permits everything.
    #[must_use]
    pub fn schema(self) -> Schema {
        if self.seen.types == Types::NONE { Schema::any() } else { self.seen.schema(self.most_values) }
    }
}

impl Schema {
    /// The schema that [`Inference`] drafts from these records, without an `enum`.
    ///
    /// # Errors
    /// As [`Inference::see`].
    pub fn infer<'v, 'a: 'v>(records: impl IntoIterator<Item = &'v Value<'a>>) -> Result<Self> {
        let mut inference = Inference::new(0);
        for record in records {
            inference.see(record)?;
        }
        Ok(inference.schema())
    }
}

/// What was seen at a place.
#[derive(Debug)]
struct Seen {
    times: u64,
    types: Types,
    texts: Texts,
    items: Option<Box<Seen>>,
    objects: u64,
    members: BTreeMap<String, Seen>,
    /// What all values of the objects were, once the keys are too many.
    values: Option<Box<Seen>>,
}

impl Default for Seen {
    fn default() -> Self {
        let (texts, members) = (Texts::default(), BTreeMap::new());
        Self { times: 0, types: Types::NONE, texts, items: None, objects: 0, members, values: None }
    }
}

/// The different texts at a place, as long as they are few.
#[derive(Debug, Default)]
struct Texts {
    times: u64,
    different: BTreeSet<String>,
    too_many: bool,
}

impl Seen {
    fn see(&mut self, value: &Value<'_>, most_values: usize) -> Result<()> {
        self.times += 1;
        self.types = self.types.or(Types::of(value));
        match value.kind() {
            Kind::String if most_values > 0 => {
                let text = value.text()?.unwrap_or_default();
                self.texts.see(&text, most_values);
            }
            Kind::Array | Kind::Object => self.see_inside(&value.opened()?, most_values)?,
            _ => {}
        }
        Ok(())
    }

    fn see_inside(&mut self, value: &Value<'_>, most_values: usize) -> Result<()> {
        match value {
            Value::Array(items) => {
                for item in items {
                    self.items.get_or_insert_default().see(item, most_values)?;
                }
            }
            Value::Object(object) => {
                self.objects += 1;
                for (name, value) in object.iter() {
                    let place = match &mut self.values {
                        Some(values) => values,
                        None => self.members.entry(name.to_owned()).or_default(),
                    };
                    place.see(value, most_values)?;
                }
                if self.members.len() > MOST_KEYS {
                    self.values = Some(Box::new(self.merged_members(most_values)));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes the members out and adds them up, as if all had been at one place.
    fn merged_members(&mut self, most_values: usize) -> Seen {
        let mut merged = Seen::default();
        for member in std::mem::take(&mut self.members).into_values() {
            merged.merge(member, most_values);
        }
        merged
    }

    fn merge(&mut self, other: Seen, most_values: usize) {
        self.times += other.times;
        self.types = self.types.or(other.types);
        self.objects += other.objects;
        self.texts.merge(other.texts, most_values);
        if let Some(items) = other.items {
            self.items.get_or_insert_default().merge(*items, most_values);
        }
        for (name, member) in other.members {
            self.members.entry(name).or_default().merge(member, most_values);
        }
        if let Some(values) = other.values {
            self.values.get_or_insert_default().merge(*values, most_values);
        }
        if self.values.is_some() || self.members.len() > MOST_KEYS {
            let members = self.merged_members(most_values);
            self.values.get_or_insert_default().merge(members, most_values);
        }
    }

    fn is_map(&self) -> bool {
        let frequent = self.members.values().any(|member| member.times * 2 > self.objects);
        self.values.is_some() || self.members.len() > MANY_KEYS && !frequent
    }

    fn schema(mut self, most_values: usize) -> Schema {
        let mut schema = Schema::of_types(self.types);
        if let Some(values) = self.texts.few() {
            let others = schema.types.without(Type::String);
            schema = Schema { types: others, ..Schema::any() }.join(&Schema::one_of(values));
        }
        schema.array.items = self.items.take().and_then(|items| some_unless_any(items.schema(most_values)));
        if schema.types.touch(Kind::Object) {
            let shape = self.shape(most_values);
            schema.set_shapes(vec![shape]);
        }
        schema
    }

    fn shape(mut self, most_values: usize) -> Shape {
        let mut shape = Shape::default();
        if self.is_map() {
            let mut values = self.merged_members(most_values);
            if let Some(more) = self.values {
                values.merge(*more, most_values);
            }
            shape.rest = some_unless_any(values.schema(most_values));
        } else {
            for (name, member) in self.members {
                let required = member.times == self.objects;
                shape.members.insert(name, Member { schema: member.schema(most_values), required });
            }
        }
        shape
    }
}

impl Texts {
    fn see(&mut self, text: &str, most: usize) {
        self.times += 1;
        if !self.too_many && !self.different.contains(text) {
            self.different.insert(text.to_owned());
            self.stay_few(most);
        }
    }

    fn merge(&mut self, other: Self, most: usize) {
        self.times += other.times;
        self.too_many |= other.too_many;
        self.different.extend(other.different);
        self.stay_few(most);
    }

    fn stay_few(&mut self, most: usize) {
        if self.too_many || self.different.len() > most {
            self.too_many = true;
            self.different.clear();
        }
    }

    fn few(&mut self) -> Option<Vec<Value<'static>>> {
        let count = self.different.len() as u64;
        let few = count > 0 && self.times >= 2 * count;
        few.then(|| std::mem::take(&mut self.different).into_iter().map(|text| Value::from(text.as_str())).collect())
    }
}
