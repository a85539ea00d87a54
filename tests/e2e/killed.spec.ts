import { setTimeout as sleep } from "node:timers/promises";
import { control } from "../browser/control.js";
import { prelude, type ExtensionBrowser, type Prelude } from "../browser/extension.js";
import type { Storage } from "../json.js";
import { versionFive } from "../oracle.js";
import { storageOne } from "../userdata.js";
import {
  dist,
  expect,
  expectStorage,
  expectUntouched,
  test,
  versionOneWith,
  type Build,
  type Launch,
} from "./extension.js";
import { stallAt } from "./preludes.js";

/** Until a run has this many writes, a test that kills it at each cannot have been right. */
const FEWEST_WRITES = 4;

for (const write of ["made", "not made"] as const) {
  test(`a run killed at any of its writes, the write ${write}, is finished by the next start`, async ({ launch }) => {
    await killAtEach(launch, storageOne(20), "2.0.0", (nth) => prelude(stallAt, nth, write, ""));
  });
}

test("a restore killed at any of its writes is finished by the next start", async ({ launch }) => {
  await killAtEach(launch, storageOne(400), "2.0.0-damaged", (nth) => prelude(stallAt, nth, "made", "fault:damaged"));
});

/** Kills a run at its first write, another at its second, and so on to the last, each from the same data. */
async function killAtEach(launch: Launch, data: Storage, build: Build, stall: (nth: number) => Prelude): Promise<void> {
  test.setTimeout(300_000);
  let nth = 0;
  for (let killed = true; killed;) {
    nth += 1;
    const { browser, one } = await versionOneWith(launch, data);
    await browser.update(dist(build), stall(nth));
    killed = await killAtStall(browser);
    await test.step(`killed at write ${nth}`, () => expectOldOrNew(browser, one));
    await browser.close();
  }
  expect(nth, "the writes of a run").toBeGreaterThan(FEWEST_WRITES);
}

/** Kills the worker where it stalls, and wakes it again. False if the run ended without a stall. */
async function killAtStall(browser: ExtensionBrowser): Promise<boolean> {
  const observer = await browser.observer();
  const stalled = () => observer.evaluate(async () => (await chrome.storage.session.get("stalled")).stalled === true);
  while (!(await stalled())) {
    if (await isOver(browser)) return false;
    await sleep(20);
  }
  await browser.stopWorker();
  await browser.wakeWorker();
  return true;
}

/** Whole data of version 5, or to the byte that of version 1; and either without help. */
async function expectOldOrNew(browser: ExtensionBrowser, one: Storage): Promise<void> {
  await expect.poll(() => isOver(browser), { message: "the end of the run", timeout: 30_000 }).toBe(true);
  if ((await control(browser))?.version === 5) await expectStorage(browser, versionFive(one));
  else await expectUntouched(browser, one);
}

async function isOver(browser: ExtensionBrowser): Promise<boolean> {
  const now = await control(browser);
  return now?.run === undefined && (now?.version === 5 || now?.refused !== undefined);
}
