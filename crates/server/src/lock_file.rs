//! The lock file: the line of a chain, or the lines of two branches where a merge left both sides in it.

use exuvia_core::chain::Lock;
use exuvia_core::document::Value;

/// What a lock file's text holds.
pub(crate) struct LockFile {
    /// The line; of two branches, ours and then what only theirs has.
    pub(crate) lock: Lock,
    /// Whether the file says just that, and no merge is left to finish.
    pub(crate) is_whole: bool,
}

impl LockFile {
    /// Reads a lock file's text, also as `git merge` leaves it.
    pub(crate) fn read(text: &str) -> exuvia_core::Result<Self> {
        let line = |side: &str| Value::parse(side).and_then(|value| Lock::read(&value));
        let Some([ours, theirs]) = sides(text) else {
            let found = line(text)?;
            // Where somebody kept the lines of both sides, the heads do not follow from one another.
            let lock = Lock::default().join(&found)?;
            return Ok(Self { is_whole: lock == found, lock });
        };
        Ok(Self { lock: Lock::default().join(&line(&ours)?)?.join(&line(&theirs)?)?, is_whole: false })
    }

    /// The text of a lock: a line a migration, so that two branches merge with a conflict one can read.
    pub(crate) fn text(lock: &Lock) -> String {
        let links: Vec<_> = lock
            .line
            .iter()
            .map(|link| {
                format!("    {{ \"id\": \"{}\", \"hash\": \"{}\", \"head\": \"{}\" }}", link.id, link.hash, link.head)
            })
            .collect();
        format!("{{\n  \"exuvia\": 1,\n  \"line\": [\n{}\n  ]\n}}\n", links.join(",\n"))
    }
}

/// Which lines of a text with conflict markers a line belongs to.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Both,
    Ours,
    Base,
    Theirs,
}

/// Both sides of a text with conflict markers; `None` where there are none.
fn sides(text: &str) -> Option<[String; 2]> {
    let (mut ours, mut theirs) = (String::new(), String::new());
    let (mut side, mut is_conflict) = (Side::Both, false);
    for line in text.lines() {
        match line.get(..7).unwrap_or_default() {
            "<<<<<<<" => (side, is_conflict) = (Side::Ours, true),
            "|||||||" => side = Side::Base,
            "=======" => side = Side::Theirs,
            ">>>>>>>" => side = Side::Both,
            _ => {
                for (of, wanted) in [(&mut ours, Side::Ours), (&mut theirs, Side::Theirs)] {
                    if side == Side::Both || side == wanted {
                        of.push_str(line);
                        of.push('\n');
                    }
                }
            }
        }
    }
    is_conflict.then_some([ours, theirs])
}
