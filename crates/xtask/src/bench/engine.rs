//! How fast records move: natively beside serde_json, in Chromium beside the same chain by hand. What came of it is in
//! docs/bench.md.

use super::Measured;
use crate::package;
use crate::setup::{browser, node};
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use serde_json::Value;

/// The cases of crates/core/benches/engine, in the order of the table.
const CASES: [&str; 8] =
    ["serde_json", "parse", "validate", "shallow", "chain", "chain back", "chain, residue", "chain back, residue"];

const REFERENCE: &str = CASES[0];

pub fn measure(ws: &Workspace) -> Result<Vec<Measured>> {
    let mut measured = measure_native(ws)?;
    measured.extend(measure_wasm(ws)?);
    Ok(measured)
}

fn measure_native(ws: &Workspace) -> Result<Vec<Measured>> {
    let home = ws.sh.current_dir().join("target/criterion");
    let bench = ws.cargo().args(["bench", "--quiet", "--package", "exuvia-core", "--bench", "engine", "--", "--quiet"]);
    bench.env("CRITERION_HOME", &home).run()?;
    let read = |case: &str, file: &str| -> Result<Value> {
        Ok(serde_json::from_str(&ws.sh.read_file(home.join("engine").join(case).join("new").join(file))?)?)
    };
    let row = |case: &str| {
        let name = |case| format!("native: {case}");
        let value = megabytes_per_second(&read(case, "benchmark.json")?, &read(case, "estimates.json")?);
        let value = value.with_context(|| format!("criterion's estimate of {case:?} is not as expected"))?;
        Ok(Measured { case: name(case), value: value.round(), unit: "MB/s".into(), vs: vec![name(REFERENCE)] })
    };
    CASES.into_iter().map(row).collect()
}

fn megabytes_per_second(benchmark: &Value, estimates: &Value) -> Option<f64> {
    let bytes = benchmark["throughput"]["Bytes"].as_f64()?;
    let nanoseconds = estimates["median"]["point_estimate"].as_f64()?;
    Some(bytes / nanoseconds * 1e3)
}

fn measure_wasm(ws: &Workspace) -> Result<Vec<Measured>> {
    let chromium = browser::ensure(&ws.sh)?.chromium;
    node::ensure(ws)?;
    package::build(ws)?;
    let script = ws.node_tool("tsx").arg("tests/bench/engine.ts");
    Ok(serde_json::from_str(&script.env("CHROMIUM", chromium).read()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn speed_is_bytes_by_the_median() {
        let benchmark = json!({ "throughput": { "Bytes": 1_000_000 } });
        let estimates = json!({ "mean": { "point_estimate": 1.0 }, "median": { "point_estimate": 2_000_000.0 } });
        assert_eq!(megabytes_per_second(&benchmark, &estimates), Some(500.0));
    }
}
