import { join } from "node:path";
import { expect, test as base } from "@playwright/test";
import { settled } from "../browser/control.js";
import { ExtensionBrowser } from "../browser/extension.js";
import { compare, compareBytes, describe } from "../compare.js";
import type { Storage } from "../json.js";

export { expect };

export type Build = "1.0.0" | "2.0.0" | "2.0.0-unfit" | "2.0.0-damaged";

export type Launch = (build: Build) => Promise<ExtensionBrowser>;

/** A test that may launch browsers, which close with it. */
export const test = base.extend<{ launch: Launch }>({
  // eslint-disable-next-line no-empty-pattern -- Playwright reads from the pattern which fixtures are wanted.
  launch: async ({}, use) => {
    const launched: ExtensionBrowser[] = [];
    await use(async (build) => {
      const browser = await ExtensionBrowser.launch({ dist: dist(build) });
      launched.push(browser);
      return browser;
    });
    for (const browser of launched) await browser.close();
  },
});

export function dist(build: Build): string {
  return join(import.meta.dirname, "../../dist", build);
}

/** Version 1.0.0 with data that a person has gathered. */
export async function versionOneWith(
  launch: Launch,
  data: Storage,
): Promise<{ browser: ExtensionBrowser; one: Storage }> {
  const browser = await launch("1.0.0");
  await settled(browser, 1);
  await browser.writeStorage(data);
  // Read back: storage sorts the members of objects.
  return { browser, one: await browser.readStorage() };
}

/** Fails with the places where storage is not what is expected. */
export async function expectStorage(browser: ExtensionBrowser, expected: Storage): Promise<void> {
  const differences = compare(expected, await browser.readStorage());
  expect(differences.length, `differences between what is expected and stored:\n${describe(differences)}`).toBe(0);
}

/** Fails where storage is not to the byte what it was, the control key aside. */
export async function expectUntouched(browser: ExtensionBrowser, before: Storage): Promise<void> {
  const differences = compareBytes(before, await browser.readStorage());
  expect(differences.length, `differences between storage before and after:\n${describe(differences)}`).toBe(0);
}
