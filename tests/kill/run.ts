import { setTimeout as sleep } from "node:timers/promises";
import { compare, compareBytes, describe, type Difference } from "../compare.js";
import type { Storage } from "../json.js";
import type { Deed } from "./deeds.js";
import type { Installation } from "./installation.js";
import { momentOf, type Blow, type Timeline } from "./plan.js";
import type { Point } from "./progress.js";
import type { RunningBrowser } from "./running.js";

/** A run that nothing disturbed: what others are compared with. */
export interface Measured {
  timeline: Timeline;
  /** Everything in storage after it, what Exuvia keeps there included. */
  after: Storage;
}

export interface Outcome {
  /** Where each blow fell; fewer than were planned if the run was over before. */
  blows: { kind: Blow["kind"]; point: Point }[];
  ended: "before" | "after";
}

/** Data that is neither what it was nor what it should be. */
export class Loss extends Error {
  /** How many keys differ. */
  readonly keys: number;

  constructor(expected: string, differences: readonly Difference[]) {
    const keys = new Set(differences.map(({ key }) => key)).size;
    super(`expected ${expected}, found ${keys} keys that differ:\n${describe(differences)}`);
    this.keys = keys;
  }
}

/** Does a deed that nothing disturbs. */
export async function measure(deed: Deed, home: string): Promise<Measured> {
  for (let tries = 0; tries < 3; tries++) {
    const measured = await measureOnce(deed, home);
    if (measured) return measured;
  }
  throw new Error("expected to hear of a run to its end, found that nobody told of it three times");
}

/** Nothing where the run was not heard of to its end. */
async function measureOnce(deed: Deed, home: string): Promise<Measured | undefined> {
  return onCopy(deed, home, async (installation) => {
    const browser = await installation.launch();
    const before = await browser.control();
    await deed.begin(browser, installation);
    const end = await browser.settles(deed.version, before?.epoch);
    if (browser.progress.point !== "sweep") return undefined;
    const timeline = browser.progress.durations(end);
    const after = await browser.readStorage();
    const wrong = compare(deed.after, after);
    if (wrong.length > 0) throw new Loss("the new data, with nothing to disturb the run", wrong);
    return { timeline, after };
  });
}

/** Does a deed on which blow after blow falls, and checks the data when it is over. */
export async function strike(deed: Deed, blows: readonly Blow[], known: Measured, home: string): Promise<Outcome> {
  return onCopy(deed, home, async (installation) => {
    const fallen: Outcome["blows"] = [];
    let browser = await installation.launch();
    const before = await browser.control();
    await deed.begin(browser, installation);
    // A context that is listened to too late says nothing of its run: the head says that it is over.
    let over: Promise<unknown> = browser.settles(deed.version, before?.epoch);
    for (const blow of blows) {
      const { point, afterMs } = momentOf(blow, known.timeline, fallen.at(-1)?.point ?? "start");
      const isOver = await Promise.race([browser.progress.reaches(point), over.then(() => true)]);
      if (isOver) break;
      await sleep(afterMs);
      fallen.push({ kind: blow.kind, point: browser.progress.point });
      browser = await fall(browser, blow.kind, installation);
      over = comesToRest(browser, deed.version);
    }
    await over;
    return { blows: fallen, ended: check(deed, known, await browser.readStorage()) };
  });
}

/** Lets a blow fall. Gives the browser that is there afterwards. */
async function fall(browser: RunningBrowser, kind: Blow["kind"], installation: Installation): Promise<RunningBrowser> {
  if (kind === "context") {
    await browser.stopContexts();
    return browser;
  }
  await browser.kill();
  return installation.launch();
}

/** Waits until the data is at rest. Until then it may be in any state, but for those that wait for a person. */
async function comesToRest(browser: RunningBrowser, version: number): Promise<void> {
  const now = await browser.control();
  if (!now) throw new Error("expected a control key after a kill, found none");
  for (const state of ["lost", "refused"] as const) {
    if (now[state] !== undefined) throw new Error(`expected data that needs no help after a kill, found it ${state}`);
  }
  await browser.wakeWorker();
  await browser.settles(version);
}

/** Whether storage holds the old data or the new, whole and with no remnant of a run. */
function check(deed: Deed, known: Measured, found: Storage): Outcome["ended"] {
  const isAsBefore = () => compareBytes(withoutOrphans(deed.before), withoutOrphans(found)).length === 0;
  if (deed.mayEndBefore && isAsBefore()) return "before";
  const wrong = compare(deed.after, found);
  if (wrong.length > 0) throw new Loss(deed.mayEndBefore ? "the old data or the new" : "the new data", wrong);
  const remnants = compareBytes(known.after, found);
  if (remnants.length > 0) throw new Loss("what Exuvia keeps beside the data as after an undisturbed run", remnants);
  return "after";
}

/** Residues whose records are gone may be swept as soon as a run has saved them. */
function withoutOrphans(storage: Storage): Storage {
  const records = new Set(Object.keys(storage).map((key) => key.slice(key.indexOf(":") + 1)));
  const stays = (key: string) => {
    const [, collection = "", record = ""] = /^exuvia:r:([^:]*):(.*)$/s.exec(key) ?? [];
    return record === "" || record === collection || records.has(record);
  };
  return Object.fromEntries(Object.entries(storage).filter(([key]) => stays(key)));
}

async function onCopy<T>({ ready }: Deed, home: string, act: (installation: Installation) => Promise<T>): Promise<T> {
  const installation = await ready.copy(home);
  try {
    return await act(installation);
  } finally {
    await installation.remove();
  }
}
