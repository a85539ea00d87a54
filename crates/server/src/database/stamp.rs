/// The column that says which run moved a row last.
pub const STAMP: &str = "exuvia_stamp";

/// A run, as rows name it. Rows without one, or with that of an earlier run, are at the version that the head names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(pub i64);

impl Stamp {
    /// The stamp of a run, by its name.
    #[must_use]
    pub fn of(run: &str) -> Self {
        let digest = blake3::hash(run.as_bytes());
        let (first, _) = digest.as_bytes().split_first_chunk().unwrap_or((&[0; 8], &[]));
        Self(i64::from_be_bytes(*first))
    }
}

/// Which rows are meant, while a run moves them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Those that the run has not moved: they are going there, and get its stamp.
    Before,
    /// Those that it has moved: they are coming back, and lose it.
    After,
}
