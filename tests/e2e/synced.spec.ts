import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { ExtensionBrowser } from "../browser/extension.js";
import { chainUpTo } from "../synced/device.js";
import { dist, expect, test } from "./extension.js";

/** A page of an extension that has the package in it, with the two builds of two devices over the one
 * `chrome.storage.sync` of the browser: `old` at version 1, `young` at version 5. */
const withPackage = test.extend<{ page: Page }>({
  // eslint-disable-next-line no-empty-pattern -- Playwright reads from the pattern which fixtures are wanted.
  page: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), "exuvia-synced-"));
    await cp(dist("2.0.0"), folder, { recursive: true });
    await cp(join(import.meta.dirname, "../../pkg"), join(folder, "pkg"), { recursive: true });
    const browser = await ExtensionBrowser.launch({ dist: folder });
    try {
      const page = await browser.observer();
      await page.evaluate(start, [chainUpTo(1), chainUpTo(5)]);
      await use(page);
    } finally {
      await browser.close();
      await rm(folder, { recursive: true });
    }
  },
});

type Package = typeof import("exuvia");
type Chain = import("exuvia").Chain;
type Devices = Record<"old" | "young" | "hasty", import("exuvia").Synced>;

async function start(chains: Chain[]): Promise<void> {
  const entry = "/pkg/index.js";
  const { Exuvia, Synced } = (await import(entry)) as Package;
  const device = (chain: Chain | undefined, name: string, waitMs: number) => {
    if (!chain) throw new Error("expected a chain");
    const exuvia = new Exuvia({ chain, wasm: "/pkg/engine_bg.wasm" });
    const named = { get: () => Promise.resolve({ "exuvia:d": name }) } as unknown as chrome.storage.StorageArea;
    return new Synced({ chain, exuvia, local: named, waitMs });
  };
  const devices = {
    old: device(chains[0], "old", 5_000),
    young: device(chains[1], "young", 5_000),
    hasty: device(chains[1], "young", 200),
  };
  Reflect.set(globalThis, "devices", devices);
}

const FIVE = {
  ai_settings: { model_preference: "m", auto_distill: true },
  theme: "dark",
  shortcuts: {},
  api_keys: {},
  privacy: { store_history: true, share_usage: false, retain_days: 30 },
};

withPackage("two builds share records through the browser's own area", async ({ page }) => {
  const found = await page.evaluate(async (five) => {
    const { old, young } = Reflect.get(globalThis, "devices") as Devices;
    const heard: unknown[] = [];
    young.subscribe((change) => heard.push(change));
    const statuses = [await old.open(), await young.open()];
    await young.put("user_preferences", "me", five);
    const seen = (await old.get("user_preferences", "me")) as object;
    await old.put("user_preferences", "me", { ...seen, theme: "light" });
    const result = {
      statuses,
      seen,
      after: await young.get("user_preferences", "me"),
      list: await young.list("user_preferences"),
    };
    while (heard.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    await young.remove("user_preferences", "me");
    return { ...result, heard, left: Object.keys(await chrome.storage.sync.get(null)).sort() };
  }, FIVE);
  const after = { ...FIVE, theme: "light" };
  expect(found).toMatchObject({
    statuses: [
      { version: 1, target: 1, devices: 1 },
      { version: 1, target: 5, devices: 2 },
    ],
    seen: { privacy_mode: "strict", model_preference: "m" },
    after,
    list: [{ key: "me", record: after }],
    left: ["exuvia:d:old", "exuvia:d:young"],
  });
  expect(found.heard[1]).toEqual({ collection: "user_preferences", key: "me", record: after });
});

withPackage("sizes are never less than what the browser counts, and what is accepted comes back", async ({ page }) => {
  const found = await page.evaluate(async (five) => {
    const { young } = Reflect.get(globalThis, "devices") as Devices;
    const entry = "/pkg/synced/limits.js";
    const { sizeOf } = (await import(entry)) as {
      sizeOf: (key: string, value: unknown) => number;
    };
    const text = Array.from({ length: 0xd800 }, (_, unit) => String.fromCharCode(unit));
    const parts = Array.from({ length: 54 }, (_, index) => text.slice(index * 1_024, (index + 1) * 1_024).join(""));
    const numbers = [
      0,
      -1,
      1.5,
      1e-7,
      0.1,
      2 ** 31,
      -(2 ** 31),
      2 ** 53,
      1e15,
      123456789012345.67,
      1e20,
      1e21,
      5e-324,
      1.7e308,
    ];
    const few = numbers.flatMap((number) => Array.from({ length: 20 }, (_, index) => number * (1 + index / 7)));
    const values: unknown[] = [...parts, few, numbers, "\ue000\uffff👩", { "é<": null }, [], true];
    const short: number[] = [];
    const { sync } = chrome.storage;
    for (const [index, value] of values.entries()) {
      const items = Object.fromEntries([[`é${index}`, value]]);
      // Through the other area, which counts in the same way and allows more calls.
      await chrome.storage.local.set(items);
      const counted = await chrome.storage.local.getBytesInUse(`é${index}`);
      if (sizeOf(`é${index}`, value) < counted) short.push(index);
    }
    const deepest = async () => {
      for (let levels = 99; levels > 0; levels--) {
        let deep: unknown = "bottom";
        for (let level = 0; level < levels; level++) deep = [deep];
        const record = { ...five, deep };
        const accepted = await young.put("user_preferences", "deep", record).then(
          () => true,
          () => false,
        );
        if (!accepted) continue;
        return {
          levels,
          back: JSON.stringify(await young.get("user_preferences", "deep")) === JSON.stringify(await sorted(record)),
        };
      }
      return undefined;
    };
    // Storage sorts the members of objects.
    const sorted = async (record: unknown) => {
      const text = JSON.stringify(record, (_, part: unknown) =>
        typeof part === "object" && part !== null && !Array.isArray(part)
          ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
          : part,
      );
      return Promise.resolve(JSON.parse(text) as unknown);
    };
    return { short, deepest: await deepest(), used: await sync.getBytesInUse(null) };
  }, FIVE);
  expect(found.short).toEqual([]);
  expect(found.deepest).toMatchObject({ back: true });
  expect(found.deepest?.levels).toBeGreaterThan(90);
});

withPackage("the browser never has to refuse a write for its rate", async ({ page }) => {
  const found = await page.evaluate(async (five) => {
    const { hasty } = Reflect.get(globalThis, "devices") as Devices;
    let writes = 0;
    for (;;) {
      try {
        await hasty.put("user_preferences", "me", { ...five, theme: writes % 2 === 0 ? "light" : "dark" });
        writes += 1;
      } catch (error) {
        return { writes, message: String(error) };
      }
    }
  }, FIVE);
  expect(found.writes).toBeGreaterThanOrEqual(90);
  expect(found.writes).toBeLessThan(120);
  expect(found.message).toContain("try again in");
});
