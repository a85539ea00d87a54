//! How many tests passed and failed, as the runners say it.

use serde_json::Value;
use std::fmt;
use std::ops::AddAssign;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    pub passed: u64,
    pub failed: u64,
}

impl Totals {
    /// Something that failed and is no test.
    pub const FAILURE: Self = Self { passed: 0, failed: 1 };

    /// These totals of a run that ended so: one that fails without a failed test counts as a failure too.
    pub fn of_run(self, success: bool) -> Self {
        if success || self.failed > 0 { self } else { Self { failed: 1, ..self } }
    }

    /// Reads the summary line of cargo test, of wasm-bindgen's runner or of nextest. Any other line has none, nor has one
    /// that nextest quotes, indented, from a test that failed.
    pub fn of_line(line: &str) -> Option<Self> {
        let counts = line.strip_prefix("test result:").or_else(|| line.trim_start().strip_prefix("Summary ["))?;
        let mut totals = Self::default();
        for part in counts.split([',', ';', '.', ':', '(']) {
            let Some((count, what)) = part.trim().split_once(' ') else {
                continue;
            };
            let Ok(count) = count.parse::<u64>() else { continue };
            match what.trim() {
                "passed" => totals.passed += count,
                "failed" | "exec failed" | "timed out" => totals.failed += count,
                _ => {}
            }
        }
        Some(totals)
    }

    /// Reads the report of Playwright's JSON reporter. A test that passes now and then fails.
    pub fn of_playwright(report: &Value) -> Option<Self> {
        let count = |name: &str| report["stats"][name].as_u64();
        // Errors outside of tests, such as a file that does not load.
        let errors = report["errors"].as_array()?.len() as u64;
        Some(Self { passed: count("expected")?, failed: count("unexpected")? + count("flaky")? + errors })
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(line: &str, passed: u64, failed: u64) {
        assert_eq!(Totals::of_line(line), Some(Totals { passed, failed }));
    }

    #[test]
    fn reads_cargo_test_and_wasm_bindgen() {
        check("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s", 3, 0);
        check("test result: FAILED. 1 passed; 2 failed; 0 ignored; 4 filtered out; finished in 1.30s", 1, 2);
    }

    #[test]
    fn reads_nextest() {
        check("     Summary [   0.005s] 3 tests run: 3 passed, 1 skipped", 3, 0);
        check(
            "     Summary [  12.5s] 9/12 tests run: 4 passed (1 slow, 1 leaky), 2 failed, 1 timed out, 1 exec failed",
            4,
            4,
        );
    }

    #[test]
    fn other_lines_have_none() {
        assert_eq!(Totals::of_line("3 passed; 0 failed"), None);
        assert_eq!(Totals::of_line("    test result: FAILED. 0 passed; 1 failed; 0 ignored"), None);
    }

    #[test]
    fn reads_playwright() {
        let report = json!({ "errors": ["x"], "stats": { "expected": 5, "skipped": 1, "unexpected": 2, "flaky": 1 } });
        assert_eq!(Totals::of_playwright(&report), Some(Totals { passed: 5, failed: 4 }));
    }
}
