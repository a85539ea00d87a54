//! `cargo xtask bench NAME`: what something costs beside what could be done instead, measured in the same run. Only the
//! ratios mean anything on another machine.

use crate::workspace::Workspace;
use anyhow::{Context, Result};
use clap::Subcommand;
use serde::{Deserialize, Serialize};

mod browser;
mod engine;
mod server;
mod snapshots;

#[derive(Subcommand)]
pub enum Bench {
    /// Migrations in an extension's worker: Exuvia's, loops by hand, and other libraries'
    Browser(browser::Options),
    /// The speed of the engine, natively and in Chromium
    Engine,
    /// Backfills on databases: Exuvia's, one statement by hand, and plain batches
    Server(server::Options),
    /// The places where a browser could keep snapshots
    Snapshots,
}

/// One case, and the names of the cases that it is compared with.
#[derive(Deserialize, Serialize)]
struct Measured {
    case: String,
    value: f64,
    unit: String,
    vs: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    measured: Measured,
    /// In the order of `vs`.
    ratios: Vec<f64>,
}

pub fn run(ws: &Workspace, bench: &Bench) -> Result<()> {
    let (name, measured) = match bench {
        Bench::Browser(options) => ("browser", browser::measure(ws, options)?),
        Bench::Engine => ("engine", engine::measure(ws)?),
        Bench::Server(options) => ("server", server::measure(ws, options)?),
        Bench::Snapshots => ("snapshots", snapshots::measure(ws)?),
    };
    let rows = compare(measured)?;
    print(&rows);
    ws.sh.create_dir("target/bench")?;
    Ok(ws.sh.write_file(format!("target/bench/{name}.json"), serde_json::to_string_pretty(&rows)?)?)
}

fn compare(measured: Vec<Measured>) -> Result<Vec<Row>> {
    let ratio = |value: f64, vs: &String| -> Result<f64> {
        let reference = measured.iter().find(|other| other.case == *vs);
        Ok(value / reference.with_context(|| format!("no case is named {vs:?}"))?.value)
    };
    let ratios = |Measured { value, vs, .. }: &Measured| vs.iter().map(|vs| ratio(*value, vs)).collect();
    let ratios = measured.iter().map(ratios).collect::<Result<Vec<Vec<_>>>>()?;
    Ok(measured.into_iter().zip(ratios).map(|(measured, ratios)| Row { measured, ratios }).collect())
}

fn print(rows: &[Row]) {
    let width = rows.iter().map(|row| row.measured.case.len()).max().unwrap_or_default();
    for Row { measured: Measured { case, value, unit, vs }, ratios } in rows {
        let compared = vs.iter().zip(ratios).map(|(vs, ratio)| format!("{ratio:>6.2} x {vs}"));
        println!("{case:<width$} {value:>9} {unit:<5} {}", compared.collect::<Vec<_>>().join(" "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(case: &str, value: f64, vs: &[&str]) -> Measured {
        let vs = vs.iter().map(|&vs| vs.into()).collect();
        Measured { case: case.into(), value, unit: "ms".into(), vs }
    }

    #[test]
    fn a_ratio_is_to_each_case_that_is_named() {
        let rows = compare(vec![case("a", 6.0, &["b", "a"]), case("b", 2.0, &[])]).unwrap();
        assert_eq!(rows.iter().map(|row| &*row.ratios).collect::<Vec<_>>(), [&[3.0, 1.0][..], &[]]);
        assert!(compare(vec![case("a", 6.0, &["c"])]).is_err());
    }

    #[test]
    fn a_row_is_flat() {
        let rows = compare(vec![case("a", 6.0, &["a"])]).unwrap();
        let expected = serde_json::json!([{ "case": "a", "value": 6.0, "unit": "ms", "vs": ["a"], "ratios": [1.0] }]);
        assert_eq!(serde_json::to_value(&rows).unwrap(), expected);
    }
}
