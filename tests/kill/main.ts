/** Kills Chromium, or the extension in it, at moments of its runs that a seed chooses, lets it start again, and compares
 * every record with the oracle. `cargo xtask kill` builds the extension and calls this. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { recordCount } from "../oracle.js";
import { number } from "../terminal.js";
import { makeDeeds, type Deed } from "./deeds.js";
import { DEEDS, planOf, type DeedName, type Plan } from "./plan.js";
import { Loss, measure, strike, type Measured } from "./run.js";
import { Tally } from "./tally.js";

/** Browsers at a time. */
const LANES = 2;

const { values } = parseArgs({ options: { runs: { type: "string" }, seed: { type: "string" } } });
const home = await mkdtemp(join(tmpdir(), "exuvia-kill-"));
try {
  process.exitCode = await main(Number(values.runs ?? "24"), Number(values.seed ?? "1"));
} finally {
  await rm(home, { recursive: true, force: true });
}

async function main(runs: number, seed: number): Promise<number> {
  const began = performance.now();
  const plans = Array.from({ length: runs }, (_, index) => planOf(seed + index));
  const deeds = await makeDeeds(join(home, "ready"));
  console.log(`${number(recordCount(deeds.update.before))} records; ${number(runs)} runs from seed ${seed}`);
  const known = await measureAll(deeds, new Set(plans.map(({ deed }) => deed)));

  const tally = new Tally();
  const left = plans.values();
  await Promise.all(Array.from({ length: LANES }, () => runAll(left, deeds, known, tally)));

  const { failed } = tally.total();
  const seconds = (performance.now() - began) / 1_000;
  console.log(`\n${tally.table()}\n\nin ${seconds.toFixed(0)} s`);
  console.log(`test result: ${failed > 0 ? "FAILED" : "ok"}. ${runs - failed} passed; ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

async function measureAll(deeds: Record<DeedName, Deed>, wanted: Set<DeedName>): Promise<Map<DeedName, Measured>> {
  const known = new Map<DeedName, Measured>();
  for (const name of DEEDS.filter((each) => wanted.has(each))) {
    const measured = await measure(deeds[name], join(home, "measured"));
    known.set(name, measured);
    const points = [...measured.timeline].map(([point, ms]) => `${point} ${ms.toFixed(0)}`);
    console.log(`  undisturbed, ${name}, in ms: ${points.join(", ")}`);
  }
  return known;
}

async function runAll(
  left: Iterable<Plan>,
  deeds: Record<DeedName, Deed>,
  known: Map<DeedName, Measured>,
  tally: Tally,
): Promise<void> {
  for (const plan of left) {
    const { seed, deed, blows } = plan;
    const measured = known.get(deed);
    if (!measured) throw new Error(`expected ${deed} to be measured`);
    try {
      tally.add(plan, await strike(deeds[deed], blows, measured, join(home, `run-${seed}`)));
    } catch (error) {
      tally.fail(plan, error instanceof Loss ? error.keys : 0);
      const planned = blows.map(({ kind }) => kind).join(", ");
      console.log(`  failed: ${deed}, killed by ${planned}: ${error instanceof Error ? error.message : String(error)}`);
      console.log(`  again: cargo xtask kill --runs 1 --seed ${seed}`);
    }
  }
}
