//! The companion of Exuvia for servers: the protocol of [`exuvia_core`] over databases.

#![forbid(unsafe_code)]

pub mod database;
pub mod postgres;
pub mod sqlite;
