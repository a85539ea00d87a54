//! Chain files are written by hand, and come in with export files: whatever they say, loading them ends, in bounded
//! memory, and what has loaded is written and read as the same chain.

#![no_main]

use exuvia_core::chain::{Chain, Lock, Migration};
use exuvia_core::document::Value;
use exuvia_core::schema::{Schema, typescript};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    if let Ok(chain) = Chain::read(text) {
        check(&chain);
    }
    // Migration files with blank lines between them.
    let read = || text.split("\n\n").map(Migration::parse).collect::<Result<Vec<_>, _>>();
    let Ok(migrations) = read() else { return Corpus::Keep };
    let Ok(chain) = Chain::arrange(migrations, &Lock::default()) else { return Corpus::Keep };
    check(&chain);
    let mut shuffled = read().expect("read a moment ago");
    shuffled.reverse();
    let again = Chain::arrange(shuffled, &chain.lock()).expect("what was locked loads with its lock");
    assert_eq!(again.lock(), chain.lock(), "the order of files on disk says nothing");
    Corpus::Keep
});

fn check(chain: &Chain) {
    let written = chain.text().to_owned();
    let again = Chain::read(&written).expect("a chain reads back what it writes");
    assert_eq!(again.lock(), chain.lock(), "the lock survives");
    assert_eq!(again.written_anew(), written, "what it compiles to survives");
    let lock = chain.lock().text();
    assert_eq!(Lock::read(&Value::parse(&lock).expect("JSON")).expect("a lock"), chain.lock());
    for (version, _) in chain.stages() {
        let collections = chain.collections(version);
        let _ = typescript(version.0, collections.iter().map(|(name, collection)| (&**name, &collection.schema)));
        for (name, collection) in collections {
            let written = collection.schema.to_value().to_json();
            let again = Schema::read(&Value::parse(&written).expect("JSON"));
            let again = again.unwrap_or_else(|error| panic!("{name} at {version}: {written}: {error}"));
            assert_eq!(again, collection.schema, "{name} at {version}: {written}");
        }
    }
}
