use super::Way;
use super::entry::{Entry, Members};
use crate::document::{Object, Path, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::{json_object, json_variants};

/// Some members of an object go into another one, or nowhere but into the residue.
///
/// Members of the same names that stand in their way, on either side, wait in the residue: unknown ones in the object
/// that they go to, and ones that somebody wrote since into the object that they left.
#[derive(Clone, Debug)]
pub struct Part {
    /// The object that they leave.
    pub from: Path,
    /// The object that they go to.
    pub to: Option<Path>,
    /// Which members go.
    pub names: Names,
}

json_object!(Part { "from": from, "to": to, "names": names });

/// Some of the members of an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Names {
    /// Those whose names start so.
    Prefix(String),
    /// All but these.
    AllBut(Vec<String>),
}

json_variants!(Names { "prefix": Prefix { 0: prefix }, "all-but": AllBut { 0: names } });

impl Names {
    fn include(&self, name: &str) -> bool {
        match self {
            Names::Prefix(prefix) => name.starts_with(prefix),
            Names::AllBut(names) => names.iter().all(|other| other != name),
        }
    }

    fn take<'a>(&self, object: &mut Object<'a>) -> Members<'a> {
        let names: Vec<_> = object.iter().map(|(name, _)| name.to_owned()).filter(|name| self.include(name)).collect();
        names.into_iter().filter_map(|name| object.remove(&name).map(|value| (name, value))).collect()
    }
}

impl Part {
    pub(super) fn run<'a>(
        &self,
        way: Way,
        focus: &mut Value<'a>,
        entry: Option<Entry<'a>>,
    ) -> Result<Option<Entry<'a>>> {
        let (mut older, mut newer) = match entry {
            Some(Entry::Sides { older, newer }) => (older, newer),
            _ => Default::default(),
        };
        // Nothing but members that may go can stand in their way.
        older.retain(|name, _| self.names.include(name));
        newer.retain(|name, _| self.names.include(name));
        let Some(source) = object_at(&self.from, focus)? else { return Ok(None) };
        let left = self.names.take(source);
        let entering = match way {
            Way::Up => {
                older = self.exchange(focus, left)?;
                newer.clone()
            }
            Way::Down => {
                newer = left;
                self.exchange(focus, older.clone())?
            }
        };
        if let Some(source) = object_at(&self.from, focus)? {
            put(source, entering);
        }
        let nothing = older.is_empty() && newer.is_empty();
        Ok((!nothing).then_some(Entry::Sides { older, newer }))
    }

    /// Puts members into the other object, and answers with those that stood there; without another object the residue
    /// is the place that they go to, and they are the answer themselves.
    fn exchange<'a>(&self, focus: &mut Value<'a>, members: Members<'a>) -> Result<Members<'a>> {
        let Some(to) = &self.to else { return Ok(members) };
        let Some(target) = object_at(to, focus)? else {
            return Err(
                Error::new(ErrorKind::Unfit, "expected an object to put members into, found none").under_path(to)
            );
        };
        let there = self.names.take(target);
        put(target, members);
        Ok(there)
    }
}

fn put<'a>(object: &mut Object<'a>, members: Members<'a>) {
    for (name, value) in members {
        object.insert(name, value);
    }
}

fn object_at<'v, 'a>(path: &Path, focus: &'v mut Value<'a>) -> Result<Option<&'v mut Object<'a>>> {
    Ok(path.get(focus)?.map(Value::object_mut).transpose()?.flatten())
}
