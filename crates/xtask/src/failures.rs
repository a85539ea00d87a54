//! `cargo xtask failures`: what has gone wrong elsewhere, done to Exuvia and to others; writes docs/failures.md.

use crate::setup;
use crate::workspace::Workspace;
use anyhow::{Result, ensure};

const PAGE: &str = "docs/failures.md";

pub fn run(ws: &Workspace) -> Result<()> {
    setup::node::ensure(ws)?;
    let tests = ws.cargo().args(["test", "--package", "exuvia-core", "--test", "protocol", "--", "failures::"]);
    let output = tests.ignore_status().read()?;
    let passed: Vec<_> = output.lines().filter_map(passed).collect();
    let page = ws.node_tool("tsx").arg("tests/failures/table.ts").args(&passed).read()?;
    ws.sh.write_file(PAGE, format!("{page}\n"))?;
    ensure!(!output.contains(" ... FAILED") && !passed.is_empty(), "not all tests passed:\n{output}");
    println!("{PAGE}: {} cases, all of which Exuvia passes", passed.len());
    Ok(())
}

/// The name of a test that passed, from a line of the test runner.
fn passed(line: &str) -> Option<&str> {
    line.strip_prefix("test failures::")?.strip_suffix(" ... ok")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_runner_names_a_test_that_passed() {
        assert_eq!(passed("test failures::a_value_is_null ... ok"), Some("a_value_is_null"));
        assert_eq!(passed("test failures::a_value_is_null ... FAILED"), None);
        assert_eq!(passed("test sequences::a_value_is_null ... ok"), None);
    }
}
