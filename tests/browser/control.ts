import { setTimeout as sleep } from "node:timers/promises";
import type { ExtensionBrowser } from "./extension.js";

/** What the control key says of the data, as far as a test asks. */
export interface Control {
  version: number;
  /** Another after each write of the head. */
  epoch: number;
  /** There while a run is under way, or was when its context died. */
  run?: unknown;
  /** There when the last run was refused or taken back. */
  refused?: unknown;
  /** There when nobody knows what the data is. */
  lost?: unknown;
}

/** The control key, read without the extension's help. */
export async function control(browser: ExtensionBrowser): Promise<Control | undefined> {
  const page = await browser.observer();
  const { exuvia } = await page.evaluate(() => chrome.storage.local.get<{ exuvia?: Control }>("exuvia"));
  return exuvia;
}

/** Waits until the data is at a version with no run under way, whoever brings it there. */
export async function settled(browser: ExtensionBrowser, version: number): Promise<void> {
  const found = await waitFor(browser, (now) => now?.version === version && now.run === undefined);
  if (found !== true) throw new Error(`expected data at version ${version} and no run, found ${found}`);
}

/** Waits until a run is under way. */
export async function moving(browser: ExtensionBrowser): Promise<void> {
  const found = await waitFor(browser, (now) => now?.run !== undefined);
  if (found !== true) throw new Error(`expected a run, found ${found}`);
}

async function waitFor(browser: ExtensionBrowser, reached: (now?: Control) => boolean): Promise<true | string> {
  let now: Control | undefined;
  for (let tries = 0; tries < 1_200; tries++) {
    now = await control(browser);
    if (reached(now)) return true;
    await sleep(50);
  }
  return now ? `version ${now.version}${now.run === undefined ? "" : " and a run"}` : "no control key";
}
