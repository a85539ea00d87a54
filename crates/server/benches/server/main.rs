//! A backfill of a table, nest and default, by Exuvia and by hand, in one run on one database; and how long somebody
//! waits who writes meanwhile.
//!
//! `cargo xtask bench server` runs it. Prints a JSON array of the cases: name, rows a second, and what to compare with.

#![allow(clippy::unwrap_used, reason = "a bench fails where it unwraps")]

mod contest;
mod postgres;
#[allow(dead_code, reason = "it does more for tests")]
#[path = "../../tests/postgres/server.rs"]
mod server;
mod sqlite;
mod writer;

use std::rc::Rc;

use contest::hold;
use server::Server;

fn main() {
    // Cargo asks every bench whether it has tests.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let rounds = number("SERVER_ROUNDS", 3);
    let most = number("SERVER_ROWS", 1_000_000);
    let server = Rc::new(Server::start_durable().unwrap());
    let mut cases = Vec::new();
    for (name, rows) in [("10k", 10_000), ("100k", 100_000), ("1m", 1_000_000), ("3m", 3_000_000)] {
        if rows <= most {
            cases.extend(hold(&sqlite::Table::new, &format!("sqlite-{name}"), rows, rounds));
            cases.extend(hold(&|_| postgres::Table::on(&server), &format!("postgres-{name}"), rows, rounds));
            cases.extend(writer::hold(&server, &format!("postgres-{name}"), rows, rounds));
        }
    }
    println!("{}", serde_json::to_string(&cases).unwrap());
}

fn number(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}
