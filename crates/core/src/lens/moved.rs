use super::Way;
use super::entry::{Displaced, Entry};
use crate::document::{Kind, Path, Put, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::json_object;

/// A value changes its place. An absent value stays absent; what stands where the value goes is no part of the schema
/// and waits in the residue.
#[derive(Clone, Debug)]
pub struct Move {
    /// Where it stands in the older version.
    pub from: Path,
    /// Where it stands in the newer version.
    pub to: Path,
}

json_object!(Move { "from": from, "to": to });

impl Move {
    pub(super) fn run<'a>(
        &self,
        way: Way,
        focus: &mut Value<'a>,
        entry: Option<Entry<'a>>,
    ) -> Result<Option<Entry<'a>>> {
        let (from, to) = match entry {
            Some(Entry::Moved { from, to }) => (from, to),
            _ => Default::default(),
        };
        let (source, target) = way.orient(&self.from, &self.to);
        let (at_source, _) = way.orient(from, to);

        let (value, pruned) = source.take(focus, at_source.made)?;
        let at_source = match at_source.value {
            Some(unknown) if is_enclosed(source, focus)? => {
                put(source, focus, unknown.clone())?;
                Displaced { value: Some(unknown), made: 0 }
            }
            _ => Displaced { value: None, made: pruned },
        };
        let (displaced, _) = target.take(focus, 0)?;
        let made = value.map_or(Ok(0), |value| put(target, focus, value))?;
        let at_target = Displaced { value: displaced, made };

        let (from, to) = way.orient(at_source, at_target);
        let nothing = from == Displaced::default() && to == Displaced::default();
        Ok((!nothing).then_some(Entry::Moved { from, to }))
    }
}

/// Whether the object around a place is there. One that somebody deleted is not made again for what was unknown in it.
fn is_enclosed(path: &Path, focus: &mut Value<'_>) -> Result<bool> {
    let Some((parent, _)) = path.split_last() else { return Ok(true) };
    Ok(parent.get(focus)?.is_some_and(|enclosing| enclosing.kind() == Kind::Object))
}

fn put<'a>(path: &Path, focus: &mut Value<'a>, value: Value<'a>) -> Result<usize> {
    match path.put(focus, value)? {
        Put::Done { made } => Ok(made),
        Put::Blocked(at) => {
            Err(Error::new(ErrorKind::Unfit, "expected an object to put a member into, found another type")
                .under_path(at))
        }
    }
}
