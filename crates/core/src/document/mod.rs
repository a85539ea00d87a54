//! JSON documents, read no further than somebody looks.
//!
//! A [`Value`] starts as a slice of the text it came from and opens one level at a time. What no step touches is
//! written back as the same bytes: unknown fields, long texts and exact numbers survive because nobody parses them.

mod equal;
mod grammar;
mod json;
mod number;
mod object;
mod path;
mod scan;
mod text;
mod value;

pub use equal::Digest;
pub(crate) use grammar::quote;
pub use json::{Json, Reading, unless_default, write_members};
pub use number::Number;
pub use object::Object;
pub use path::Path;
pub(crate) use path::Put;
pub use text::{DEPTH_LIMIT, Quoted};
pub use value::{Kind, Value};
