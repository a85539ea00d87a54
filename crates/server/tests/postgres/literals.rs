//! What authors and users write is data to the server, never SQL.

use exuvia_core::chain::{Residues, Route, Version};
use exuvia_core::document::Value;
use exuvia_core::lens::Context;
use exuvia_server::postgres::compile::{LIBRARY, compile};

use crate::chains::{COLLECTION, Sample};
use crate::server::Server;

const HOSTILE: [&str; 14] = [
    "it's",
    "'; DROP TABLE victim; --",
    "\\",
    "\\'",
    "$$",
    "$exuvia$",
    "__proto__",
    "$set",
    "a.b",
    "~",
    "",
    "0",
    "\u{1f980} \u{e9} e\u{301} \u{202e}",
    "a very long name, a very long name, a very long name, a very long name, a very long name, a very long name",
];

#[test]
fn hostile_names_and_values_are_ordinary() {
    let server = Server::start().unwrap();
    let mut client = server.connect().unwrap();
    client.batch_execute(LIBRARY).unwrap();
    client.batch_execute("CREATE TABLE victim ()").unwrap();
    for conforming in ["on", "off"] {
        client.batch_execute(&format!("SET standard_conforming_strings = {conforming}")).unwrap();
        client.batch_execute("SET escape_string_warning = off").unwrap();
        for name in HOSTILE {
            let quoted = Value::from(name).to_json();
            let pointer = Value::from(format!("/{}", name.replace('~', "~0").replace('/', "~1")).as_str()).to_json();
            let schema = format!(r#"{{"type":"object","properties":{{{quoted}:{{"enum":[{quoted},"b"]}}}}}}"#);
            let sample = Sample::of(
                &schema,
                &[
                    &format!(r#"{{"rename":{pointer},"to":"/to"}}"#),
                    &format!(
                        r#"{{"map":"/to","table":{{{quoted}:"other {}"}},"else":"keep"}}"#,
                        &quoted[1..quoted.len() - 1]
                    ),
                    &format!(r#"{{"add":"/made","make":{{"key":{quoted}}}}}"#),
                    &format!(r#"{{"nest":["/made"],"under":{pointer}}}"#),
                ],
            );
            let (low, tip) = (Version(1), sample.chain.tip());
            let route = Route::between((&sample.chain, low), (&sample.chain, tip));
            let program = compile(&route.legs(COLLECTION).unwrap(), None).unwrap();
            // Twice: what is there already is no error.
            for statement in program.statements.iter().chain(&program.statements) {
                client.batch_execute(statement).unwrap();
            }
            let doc = format!(r#"{{{quoted}:{quoted},"unknown":{quoted}}}"#);
            let query = format!("SELECT doc::text, done FROM {}($1::text::jsonb, NULL, $2, 0)", program.name);
            let row = client.query_one(&query, &[&doc, &name]).unwrap();
            assert!(row.get::<_, bool>(1), "{name:?} is left to the interpreter");

            let mut expected = Value::parse(&doc).unwrap();
            let context = Context { now: 0, key: name };
            sample.chain.translate(COLLECTION, low, tip, context, &mut expected, &mut Residues::default()).unwrap();
            let found: String = row.get(0);
            assert_eq!(Value::parse(&found).unwrap(), expected, "{name:?}");
        }
    }
    client.batch_execute("SELECT FROM victim").unwrap();
}
