use super::residue::{Entry, Memo};
use super::{Function, Way};
use crate::document::{Object, Path, Value};
use crate::error::{Error, ErrorKind, Result};

/// A value changes by a function, and back by another. Where the two do not undo each other the pair of values is
/// remembered: if the value met is the remembered one, its counterpart returns; if somebody changed it, the change wins
/// and goes through the function. Where there is no enclosing object nothing happens.
#[derive(Clone, Debug)]
pub struct Edit {
    /// Where the value stands, in both versions.
    pub at: Path,
    /// From the older value to the newer.
    pub forward: Function,
    /// From the newer value to the older.
    pub backward: Function,
}

impl Edit {
    pub(super) fn run<'a>(
        &self,
        way: Way,
        focus: &mut Value<'a>,
        entry: Option<Entry<'a>>,
    ) -> Result<Option<Entry<'a>>> {
        let Some(mut slot) = Slot::find(&self.at, focus)? else { return Ok(None) };
        let (ahead, back) = way.orient(&self.forward, &self.backward);
        let current = slot.read();

        let (mut remembered, mut was_there) = (None, false);
        if let Some(Entry::Memo(memo)) = entry {
            let (here, there) = way.orient(memo.older, memo.newer);
            was_there = there.is_some();
            remembered = (here == current).then_some(there);
        }
        let computed = match ahead {
            Function::Withdraw(fits) if was_there => Function::Admit(fits.clone()).apply(current.clone()),
            ahead => ahead.apply(current.clone()),
        };
        let (next, ahead_agrees) = match remembered {
            Some(next) => {
                let agrees = computed.is_ok_and(|value| value == next);
                (next, agrees)
            }
            None => (computed.map_err(|error| error.under_path(&self.at))?, true),
        };
        let both_agree = ahead_agrees && back.apply(next.clone()).is_ok_and(|value| value == current);
        slot.write(next.clone()).map_err(|error| error.under_path(&self.at))?;

        let (older, newer) = way.orient(current, next);
        Ok((!both_agree).then_some(Entry::Memo(Memo { older, newer })))
    }
}

/// The place of a value that may be absent.
enum Slot<'v, 'a> {
    Focus(&'v mut Value<'a>),
    Member(&'v mut Object<'a>, &'v str),
}

impl<'v, 'a> Slot<'v, 'a> {
    fn find(path: &'v Path, focus: &'v mut Value<'a>) -> Result<Option<Self>> {
        let Some((parent, _)) = path.split_last() else { return Ok(Some(Slot::Focus(focus))) };
        let Some(name) = path.tokens().next_back() else { return Ok(None) };
        let Some(enclosing) = parent.get(focus)? else { return Ok(None) };
        Ok(enclosing.object_mut()?.map(|object| Slot::Member(object, name)))
    }

    fn read(&self) -> Option<Value<'a>> {
        match self {
            Slot::Focus(value) => Some((**value).clone()),
            Slot::Member(object, name) => object.get(name).cloned(),
        }
    }

    fn write(&mut self, value: Option<Value<'a>>) -> Result<()> {
        match (self, value) {
            (Slot::Focus(place), Some(value)) => **place = value,
            (Slot::Focus(_), None) => {
                return Err(Error::new(
                    ErrorKind::Unfit,
                    "expected a value to stay in place, found a step that removes it whole",
                ));
            }
            (Slot::Member(object, name), Some(value)) => drop(object.insert(name.to_string(), value)),
            (Slot::Member(object, name), None) => drop(object.remove(name)),
        }
        Ok(())
    }
}
