/// What the compiled functions call: statements for the schema `exuvia`, which may run again and again. They need the
/// right to make functions there.
pub const LIBRARY: &str = include_str!("library.sql");
