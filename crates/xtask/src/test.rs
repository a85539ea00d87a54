//! `cargo xtask test`: every check and test, each stage whatever came of the one before, and one line of totals at the
//! end.

use crate::setup::{browser, firefox, node, postgres, wasm_bindgen, wasm_target};
use crate::totals::Totals;
use crate::workspace::Workspace;
use crate::{build, kill};
use anyhow::{Context, Result};
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Command, exit};
use which::which;
use xshell::Cmd;

type Stage = fn(&Workspace) -> Result<Totals>;

const STAGES: [(&str, Stage); 9] = [
    ("format", check_format),
    ("lint of the native crates", lint_native),
    ("tests of the native crates", test_native),
    ("lint of the Wasm module", lint_wasm),
    ("tests of the Wasm module, in Chromium", test_wasm),
    ("tests of the extension, in Chromium", test_extension),
    // These need the build that the stage before made, or its types.
    ("tests of the extension, in Firefox", test_firefox),
    ("kills of the extension, in Chromium", test_kills),
    ("lint of the TypeScript", lint_typescript),
];

/// How many times the usual number of random cases `--long` tries of each property: of the laws that is a million records.
const TIMES: &str = "120";

/// How many `--long` tries of a property that does not say its usual number.
const CASES: &str = "30000";

/// What the ordinary run draws its cases from, so that it says the same of the same code. `--long` draws new ones.
const SEED: &str = "1";

/// How many scenarios `--long` simulates.
const SCENARIOS: &str = "100000";

pub fn run(ws: &Workspace, long: bool) -> Result<()> {
    let _cases = match long {
        true => ws.sh.push_env("CASES_TIMES", TIMES),
        false => ws.sh.push_env("PROPTEST_RNG_SEED", SEED),
    };
    let _others = long.then(|| ws.sh.push_env("PROPTEST_CASES", CASES));
    let _scenarios = long.then(|| ws.sh.push_env("SIMULATOR_SCENARIOS", SCENARIOS));
    let mut totals = Totals::default();
    for (name, stage) in STAGES {
        println!("\n--- {name}");
        totals += stage(ws).unwrap_or_else(|error| {
            println!("failed: {name}: {error:#}");
            Totals::FAILURE
        });
    }
    println!("\n{totals}");
    exit(i32::from(totals.failed > 0))
}

fn check_format(ws: &Workspace) -> Result<Totals> {
    node::ensure(ws)?;
    check([
        ws.cargo().args(["fmt", "--all", "--check"]),
        ws.node_tool("prettier").args(["--check", "--log-level", "warn", "."]),
    ])
}

fn lint_native(ws: &Workspace) -> Result<Totals> {
    check([ws.cargo().args(["clippy", "--quiet", "--all-targets", "--", "-D", "warnings"])])
}

fn lint_wasm(ws: &Workspace) -> Result<Totals> {
    let clippy = wasm_target::ensure(ws)?.cargo(ws, "clippy");
    check([clippy.args(["--quiet", "--all-targets", "--", "-D", "warnings"])])
}

fn lint_typescript(ws: &Workspace) -> Result<Totals> {
    node::ensure(ws)?;
    check([
        ws.node_tool("tsc").args(["--project", "tsconfig.extension.json"]),
        ws.node_tool("tsc").args(["--project", "tsconfig.tests.json"]),
        ws.node_tool("eslint").arg("."),
    ])
}

fn test_native(ws: &Workspace) -> Result<Totals> {
    let _server = ws.sh.push_env("POSTGRES_BIN", postgres::ensure(ws)?);
    if which("cargo-nextest").is_err() {
        return count(ws.cargo().args(["test", "--quiet", "--no-fail-fast"]));
    }
    let mut totals = count(ws.cargo().args(["nextest", "run", "--no-fail-fast", "--no-tests=pass"]))?;
    totals += count(ws.cargo().args(["test", "--quiet", "--no-fail-fast", "--doc"]))?;
    Ok(totals)
}

fn test_wasm(ws: &Workspace) -> Result<Totals> {
    let target = wasm_target::ensure(ws)?;
    let tests = target.cargo(ws, "test").args(["--no-fail-fast", "--tests"]);
    count(
        tests
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", wasm_bindgen::ensure(ws)?.test_runner)
            .env("CHROMEDRIVER", browser::ensure(&ws.sh)?.driver)
            // In seconds, for a file of tests. The runner's own 20 are few on a busy machine.
            .env("WASM_BINDGEN_TEST_TIMEOUT", "120"),
    )
}

fn test_extension(ws: &Workspace) -> Result<Totals> {
    let chromium = browser::ensure(&ws.sh)?.chromium;
    build::run(ws, true)?;
    playwright(ws, &["unit", "extension"], ("CHROMIUM", &chromium))
}

fn test_firefox(ws: &Workspace) -> Result<Totals> {
    playwright(ws, &["firefox"], ("FIREFOX", &firefox::ensure(&ws.sh)?))
}

/// Runs those of Playwright's projects that are named, with a browser.
fn playwright(ws: &Workspace, projects: &[&str], browser: (&str, &Path)) -> Result<Totals> {
    const REPORT: &str = "target/playwright.json";
    // So that the report read is of this run.
    ws.sh.remove_path(REPORT)?;
    let tests = ws.node_tool("playwright").args(["test", "--reporter", "list,json"]);
    let tests = tests.args(projects.iter().map(|project| format!("--project={project}")));
    let tests = tests.env("PLAYWRIGHT_JSON_OUTPUT_FILE", REPORT).env(browser.0, browser.1);
    let success = Command::from(tests).status()?.success();
    let report = ws.sh.read_file(REPORT).context("Playwright did not run")?;
    let totals = Totals::of_playwright(&serde_json::from_str(&report)?);
    Ok(totals.context("Playwright's report has no totals")?.of_run(success))
}

fn test_kills(ws: &Workspace) -> Result<Totals> {
    count(kill::command(ws, &browser::ensure(&ws.sh)?.chromium, kill::RUNS, 1))
}

/// Runs all of `commands`. They count for nothing when they succeed, for they are no tests.
fn check<const N: usize>(commands: [Cmd; N]) -> Result<Totals> {
    let mut totals = Totals::default();
    for command in commands {
        totals += Totals::default().of_run(Command::from(command).status()?.success());
    }
    Ok(totals)
}

/// Runs tests, showing what they say, and adds up the totals in it.
fn count(command: Cmd) -> Result<Totals> {
    let (reader, writer) = io::pipe()?;
    let mut child = {
        // Dropped at the end of this block with its ends of the pipe; with one left open the pipe would never end.
        let mut command = Command::from(command);
        command.stdout(writer.try_clone()?).stderr(writer).spawn()?
    };
    let mut found: Option<Totals> = None;
    for line in BufReader::new(reader).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        if let Some(totals) = Totals::of_line(&line) {
            *found.get_or_insert_default() += totals;
        }
    }
    let success = child.wait()?.success();
    Ok(found.context("the tests did not run")?.of_run(success))
}
