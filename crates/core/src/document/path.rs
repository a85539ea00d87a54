use std::fmt;

use super::{Object, Quoted, Value};
use crate::error::{Error, ErrorKind, Result};

/// A JSON Pointer (RFC 6901) whose tokens name object members, never places in an array. The empty path is the
/// focus itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Path(Vec<Box<str>>);

impl Path {
    /// Reads a pointer: empty, or tokens each after a `/`, with `~0` for `~` and `~1` for `/`.
    ///
    /// # Errors
    /// [`ErrorKind::Chain`] where the text is no pointer.
    pub fn parse(text: &str) -> Result<Self> {
        let fail = |what: &str| {
            let message =
                format!("expected a JSON Pointer such as \"/title\" (RFC 6901), found {}: {what}", Quoted(text));
            Err(Error::new(ErrorKind::Chain, message))
        };
        if text.is_empty() {
            return Ok(Self::default());
        }
        let Some(tokens) = text.strip_prefix('/') else {
            return fail("a pointer starts with \"/\"");
        };
        let mut path = Vec::new();
        for token in tokens.split('/') {
            if token.replace("~0", "").replace("~1", "").contains('~') {
                return fail("\"~\" is written \"~0\", and \"/\" inside a name is written \"~1\"");
            }
            path.push(token.replace("~1", "/").replace("~0", "~").into());
        }
        Ok(Self(path))
    }

    /// The tokens, unescaped.
    pub fn tokens(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.0.iter().map(|token| &**token)
    }

    /// The path to the enclosing object and the last token; `None` for the focus itself.
    #[must_use]
    pub fn split_last(&self) -> Option<(Path, &str)> {
        let (last, parent) = self.0.split_last()?;
        Some((Path(parent.to_vec()), last))
    }

    /// This path and one token more.
    #[must_use]
    pub fn join(&self, token: &str) -> Path {
        let mut tokens = self.0.clone();
        tokens.push(token.into());
        Path(tokens)
    }

    /// The paths of the enclosing objects, outermost first, without the focus itself.
    pub fn ancestors(&self) -> impl Iterator<Item = Path> + '_ {
        (1..self.0.len()).map(|length| Path(self.0[..length].to_vec()))
    }

    /// Whether one of the two lies inside the other, or both are the same.
    #[must_use]
    pub fn overlaps(&self, other: &Path) -> bool {
        self.0.starts_with(&other.0) || other.0.starts_with(&self.0)
    }

    /// The value at this path, if it is there.
    ///
    /// # Errors
    /// [`ErrorKind::Json`] where a member name on the way is no Unicode text.
    pub fn get<'v, 'a>(&self, focus: &'v mut Value<'a>) -> Result<Option<&'v mut Value<'a>>> {
        let mut at = focus;
        for token in self.tokens() {
            let Some(object) = at.object_mut()? else { return Ok(None) };
            let Some(inner) = object.get_mut(token) else { return Ok(None) };
            at = inner;
        }
        Ok(Some(at))
    }

    /// Takes the value at this path out, and with it up to `prune` enclosing objects that are left empty. Answers with
    /// the value and how many objects went.
    pub(crate) fn take<'a>(&self, focus: &mut Value<'a>, prune: usize) -> Result<(Option<Value<'a>>, usize)> {
        let Some((parent, name)) = self.split_last() else {
            return Ok((Some(std::mem::replace(focus, Value::Null)), 0));
        };
        let Some(object) = parent.get(focus)?.map(Value::object_mut).transpose()?.flatten() else {
            return Ok((None, 0));
        };
        let taken = object.remove(name);
        let left_empty = taken.is_some() && object.is_empty();
        if prune == 0 || !left_empty || parent.0.is_empty() {
            return Ok((taken, 0));
        }
        let (_, above) = parent.take(focus, prune - 1)?;
        Ok((taken, above + 1))
    }

    /// Puts a value at this path, making enclosing objects where they are missing. Answers with how many were made, or
    /// with the path of an enclosing value that is no object.
    pub(crate) fn put<'a>(&self, focus: &mut Value<'a>, value: Value<'a>) -> Result<Put> {
        let Some((last, parents)) = self.0.split_last() else {
            *focus = value;
            return Ok(Put::Done { made: 0 });
        };
        let mut made = 0;
        let mut at = focus;
        for (depth, token) in parents.iter().enumerate() {
            let Some(object) = at.object_mut()? else {
                return Ok(Put::Blocked(Path(self.0[..depth].to_vec())));
            };
            if object.get(token).is_none() {
                object.insert(token.to_string(), Value::Object(Object::new()));
                made += 1;
            }
            let Some(inner) = object.get_mut(token) else { unreachable!("the member was inserted above") };
            at = inner;
        }
        match at.object_mut()? {
            Some(object) => {
                object.insert(last.to_string(), value);
                Ok(Put::Done { made })
            }
            None => Ok(Put::Blocked(Path(parents.to_vec()))),
        }
    }
}

/// What [`Path::put`] came to.
pub(crate) enum Put {
    Done { made: usize },
    Blocked(Path),
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in self.tokens() {
            write!(f, "/{}", token.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_read_and_print_by_rfc_6901() {
        for text in ["", "/", "/a", "/a/b", "/a~1b", "/m~0n", "/__proto__/$set/a.b", "/ "] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Path::parse("/a~1b/~01").unwrap().tokens().collect::<Vec<_>>(), ["a/b", "~1"]);
        for text in ["a", "/a~", "/~2", "#/a"] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn put_says_what_it_made_and_take_undoes_it() {
        let mut document = Value::parse(r#"{"x":1}"#).unwrap();
        let path = Path::parse("/a/b/c").unwrap();
        let put = path.put(&mut document, Value::Bool(true)).unwrap();
        assert!(matches!(put, Put::Done { made: 2 }));
        let (taken, pruned) = path.take(&mut document, 2).unwrap();
        assert_eq!(taken, Some(Value::Bool(true)));
        assert_eq!((pruned, document.to_json().as_str()), (2, r#"{"x":1}"#));
    }
}
