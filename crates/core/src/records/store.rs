use crate::error::Result;
use crate::protocol::Progress;

/// What a stored value looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// An array of so many items.
    Array(usize),
    /// An object of so many members.
    Object(usize),
    /// Anything else.
    Scalar,
}

/// Keys and JSON values, as `chrome.storage` offers them. One `set` may be torn when the process dies; a value may be too
/// large to be held as text, so values stay on the store's side of the border and cross in slices.
#[allow(async_fn_in_trait)]
pub trait Store {
    /// A value on the store's side.
    type Value;

    /// All keys.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    async fn keys(&self) -> Result<Vec<String>>;

    /// The values of those keys that are there, in any order.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    async fn get(&self, keys: &[String]) -> Result<Vec<(String, Self::Value)>>;

    /// Sets keys in one call. A process that dies meanwhile should leave all of them set or none; where it leaves some,
    /// the run needs its snapshot to go on.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Quota`] where there is no room, [`crate::ErrorKind::Store`]
    async fn set(&self, entries: Vec<(String, Self::Value)>) -> Result<()>;

    /// Removes keys in one call.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    async fn remove(&self, keys: &[String]) -> Result<()>;

    /// How many bytes may still be written; `None` where nothing limits them.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    async fn room(&self) -> Result<Option<u64>>;

    /// How many bytes keys and their values take; `None` where the store does not say. Must cost little: the values are
    /// not read for it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    async fn bytes(&self, keys: &[String]) -> Result<Option<u64>>;

    /// How many bytes of the room a value takes at most, by its JSON text: Chromium writes `<` as an escape, and what is
    /// beyond 32 bits with a fraction, before it counts.
    fn weigh(&self, text: &str) -> u64 {
        let (mut weight, mut digits) = (text.len(), 0);
        for letter in text.chars() {
            digits = if letter.is_ascii_digit() { digits + 1 } else { 0 };
            weight += match letter {
                '<' => r"\u003C".len() - 1,
                '\u{2028}' | '\u{2029}' => r"\u2028".len() - letter.len_utf8(),
                _ if digits == 10 => ".0".len(),
                _ => 0,
            };
        }
        weight as u64
    }

    /// A value as JSON text.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`] where it is no JSON.
    fn read(&self, value: &Self::Value) -> Result<String>;

    /// A value from JSON text.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    fn write(&self, text: &str) -> Result<Self::Value>;

    /// What a value looks like.
    fn shape(&self, value: &Self::Value) -> Shape;

    /// Items of an array or members of an object from the `start`th on, as the JSON text of an array or object, until
    /// about `budget` bytes are full, and at least one; and how many they are.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    fn slice(&self, value: &Self::Value, start: usize, budget: usize) -> Result<(String, usize)>;

    /// Appends the items or members in a JSON text.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    fn extend(&self, value: &mut Self::Value, text: &str) -> Result<()>;

    /// Puts the items of an array into another order: the `n`th is the one that was at `order[n]`.
    fn reorder(&self, value: &mut Self::Value, order: &[u32]);
}

/// Where snapshots are kept, apart from the store: named byte strings that are written once from front to back, a
/// manifest for each, and a mirror of the head. What is missing is told from what cannot be read just now: on the first
/// a run finds another way, the second is tried again.
#[allow(async_fn_in_trait)]
pub trait Vault {
    /// Begins a byte string; one that had the name is gone.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`] where there is no place to keep it.
    async fn create(&self, id: &str) -> Result<()>;

    /// Appends to the byte string that was begun.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Quota`], [`crate::ErrorKind::Store`]
    async fn append(&self, id: &str, bytes: &[u8]) -> Result<()>;

    /// Ends it. Only then can it be read.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Quota`], [`crate::ErrorKind::Store`]
    async fn close(&self, id: &str) -> Result<()>;

    /// Reads a part.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Snapshot`] where it is not there, [`crate::ErrorKind::Store`]
    async fn read(&self, id: &str, offset: u64, length: u64) -> Result<Vec<u8>>;

    /// Keeps a manifest, durably.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    async fn put_manifest(&self, id: &str, text: &str) -> Result<()>;

    /// All manifests, by name.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    async fn manifests(&self) -> Result<Vec<(String, String)>>;

    /// Removes a byte string and its manifest, as far as they are there.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    async fn delete(&self, id: &str) -> Result<()>;

    /// The mirror of the head, where one was kept.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    async fn mirror(&self) -> Result<Option<String>>;

    /// Keeps the mirror of the head.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Store`]
    async fn put_mirror(&self, text: &str) -> Result<()>;
}

/// What only the world outside knows.
#[allow(async_fn_in_trait)]
pub trait Host {
    /// Holds other runners off until it is dropped.
    type Guard;

    /// Waits, for a bounded time, until this is the only runner.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Busy`]
    async fn lock(&self) -> Result<Self::Guard>;

    /// Milliseconds since 1970.
    fn now(&self) -> i64;

    /// A name that nobody else has.
    fn token(&self) -> String;

    /// Tells whoever listens where the run of this name is.
    fn progress(&self, run: &str, progress: Progress);
}

/// Storage keys and their JSON texts.
pub(super) type Entries = Vec<(String, String)>;
