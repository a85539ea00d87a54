//! The sample data beside a chain: `samples/COLLECTION.vN.ndjson`, records of a collection at a version, and
//! `samples/COLLECTION.vN.expected.vM.ndjson`, what the same records must be at another.

use std::path::{Path, PathBuf};

use exuvia_core::chain::{Chain, Version};
use exuvia_core::{Error, ErrorKind};

use crate::failure::{Failure, Place};

/// A file of sample records.
pub(crate) struct Samples {
    pub(crate) file: PathBuf,
    pub(crate) collection: String,
    pub(crate) version: Version,
    /// The version whose records these are expected to become, where the file is a golden one; with the file that holds
    /// what they are.
    pub(crate) golden: Option<(Version, PathBuf)>,
}

impl Samples {
    /// All that lie beside the chain in `folder`, in the order of their names.
    pub(crate) fn beside(folder: &Path, chain: &Chain) -> Result<Vec<Self>, Failure> {
        let folder = folder.join("samples");
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let mut samples = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(Failure::file(&folder))? {
            let path = entry.map_err(Failure::file(&folder))?.path();
            if path.extension().is_some_and(|extension| extension == "ndjson") {
                samples.push(Self::named(&path, chain)?);
            }
        }
        samples.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(samples)
    }

    /// Reads the file's name.
    fn named(path: &Path, chain: &Chain) -> Result<Self, Failure> {
        let at_fault = |error| Failure::Exuvia { place: Place::File(path.to_owned()), error };
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let Some((collection, version, expected)) = parts(stem) else {
            let message = "expected a name such as notes.v1.ndjson or notes.v1.expected.v2.ndjson, found another";
            return Err(at_fault(Error::new(ErrorKind::Chain, message)));
        };
        chain.counterpart(collection, version, expected.unwrap_or(version)).map_err(at_fault)?;
        let start = path.with_file_name(format!("{collection}.v{version}.ndjson"));
        let golden = expected.map(|version| (version, start));
        Ok(Self { file: path.to_owned(), collection: collection.to_owned(), version, golden })
    }
}

/// The collection, the version, and the version expected of a golden file.
fn parts(stem: &str) -> Option<(&str, Version, Option<Version>)> {
    let (rest, last) = stem.rsplit_once(".v")?;
    let last = Version(last.parse().ok()?);
    match rest.strip_suffix(".expected") {
        None => Some((rest, last, None)),
        Some(rest) => {
            let (collection, first) = rest.rsplit_once(".v")?;
            Some((collection, Version(first.parse().ok()?), Some(last)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_collection_and_versions() {
        assert_eq!(parts("my.notes.v12"), Some(("my.notes", Version(12), None)));
        assert_eq!(parts("notes.v1.expected.v3"), Some(("notes", Version(1), Some(Version(3)))));
        for other in ["notes", "notes.v", "notes.vx", "notes.expected.v3"] {
            assert_eq!(parts(other), None, "{other}");
        }
    }
}
