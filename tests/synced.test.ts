import { expect, test } from "@playwright/test";
import type { FoundRecord } from "exuvia";
import { ExuviaError } from "../pkg/index.js";
import { sizeOf } from "../pkg/synced/limits.js";
import { Random } from "./random.js";
import { Cloud, FakeClock } from "./synced/area.js";
import { chainUpTo, Device, translator } from "./synced/device.js";
import { canonical, edited, shown, type Preferences } from "./synced/preferences.js";
import type { Json, JsonObject, Storage } from "./json.js";

const PREFERENCES = "user_preferences";
const ME = "exuvia:s:user_preferences:me";

const ONE: JsonObject = {
  model_preference: "m",
  privacy_mode: "balanced",
  auto_distill: true,
  theme: "dark",
  shortcuts: {},
  api_keys: {},
};
const FIVE: JsonObject = {
  ai_settings: { model_preference: "m", auto_distill: true },
  theme: "dark",
  shortcuts: {},
  api_keys: {},
  privacy: { store_history: true, share_usage: false, retain_days: 30 },
};

function setup(seed = 1) {
  const [cloud, clock] = [new Cloud(new Random(seed)), new FakeClock()];
  return { cloud, clock, device: (version: number) => new Device(cloud, clock, version) };
}

/** Devices that know of each other. */
async function known(cloud: Cloud, ...devices: Device[]): Promise<void> {
  for (const { synced } of devices) await synced.open();
  cloud.settle();
}

async function problem(work: Promise<unknown>): Promise<{ kind: string; message: string }> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ExuviaError) return error.problem;
  throw new Error("expected a problem, found none", { cause: error });
}

test("alone, a device writes at its own version, and reads without translating", async () => {
  const { cloud, clock } = setup();
  const exuvia = translator(chainUpTo(5));
  const device = new Device(cloud, clock, 5, { exuvia });
  expect(await device.synced.open()).toEqual({ version: 5, target: 5, devices: 1 });
  await device.synced.put(PREFERENCES, "me", FIVE);
  expect(device.area.all()[ME]).toMatchObject({ v: 5, r: FIVE });
  const { calls } = exuvia;
  expect(await device.synced.get(PREFERENCES, "me")).toEqual(FIVE);
  expect(exuvia.calls).toBe(calls);
});

test("what an older device cannot read it is not given, and what it writes keeps what only newer ones know", async () => {
  const { cloud, device } = setup();
  const [old, middle, young] = [device(1), device(4), device(5)];
  await known(cloud, old, middle, young);
  await young.synced.put(PREFERENCES, "me", FIVE);
  cloud.settle();
  expect(old.area.all()[ME]).toMatchObject({ v: 1 });
  const seen = (await old.synced.get(PREFERENCES, "me")) as JsonObject;
  expect(seen).toEqual({ ...ONE, privacy_mode: "strict" });

  await old.synced.put(PREFERENCES, "me", { ...seen, theme: "light" });
  cloud.settle();
  expect(await young.synced.get(PREFERENCES, "me")).toEqual({ ...FIVE, theme: "light" });
  expect(await middle.synced.get(PREFERENCES, "me")).toMatchObject({ ai_settings: { privacy_mode: "strict" } });

  await old.synced.put(PREFERENCES, "me", { ...seen, privacy_mode: "open" });
  cloud.settle();
  const privacy = { store_history: true, share_usage: true, retain_days: 365 };
  expect(await young.synced.get(PREFERENCES, "me")).toEqual({ ...FIVE, privacy });
});

test("once the last old device is updated, records are written at the new version", async () => {
  const { cloud, device } = setup();
  const [old, young] = [device(1), device(5)];
  await known(cloud, old, young);
  await young.synced.put(PREFERENCES, "me", FIVE);
  old.update(5);
  await known(cloud, old, young);
  expect(await old.synced.get(PREFERENCES, "me")).toEqual(FIVE);
  await old.synced.put(PREFERENCES, "me", { ...FIVE, theme: "light" });
  cloud.settle();
  expect(young.area.all()[ME]).toMatchObject({ v: 5 });
  expect(await young.synced.get(PREFERENCES, "me")).toEqual({ ...FIVE, theme: "light" });
});

test("a device that was away too long overwrites nothing it cannot read, and reads again once it is asked for", async () => {
  const { cloud, clock, device } = setup();
  const [old, young] = [device(1), device(5)];
  await known(cloud, old, young);
  clock.passDays(31);
  expect(await young.synced.open()).toMatchObject({ version: 5, devices: 1 });
  await young.synced.put(PREFERENCES, "me", FIVE);
  cloud.settle();
  const before = old.area.all()[ME];
  expect(await problem(old.synced.get(PREFERENCES, "me"))).toMatchObject({ kind: "newer", record: "me" });
  expect(await problem(old.synced.put(PREFERENCES, "me", ONE))).toMatchObject({ kind: "newer" });
  expect(await problem(old.synced.remove(PREFERENCES, "me"))).toMatchObject({ kind: "newer" });
  expect(await old.synced.list(PREFERENCES)).toMatchObject([{ key: "me", problem: { kind: "newer" } }]);
  expect(old.area.all()[ME]).toEqual(before);

  await old.synced.open();
  cloud.settle();
  await young.synced.lower();
  cloud.settle();
  expect(await old.synced.get(PREFERENCES, "me")).toEqual({ ...ONE, privacy_mode: "strict" });
  expect(await young.synced.get(PREFERENCES, "me")).toEqual(FIVE);
});

test("devices of two branches meet at the last version that both have", async () => {
  const { cloud, device } = setup();
  const [four, other] = [device(4), device(2)];
  await known(cloud, four, other);
  const announced = Object.entries(other.area.all()).find(([, value]) => (value as { l?: string }).l?.length === 16);
  const [name, { l, d }] = announced as unknown as [string, { l: string; d: number }];
  await other.area.set({ [name]: { l: `${l}0123456789abcdef`, d }, "exuvia:d:stranger": { l: "00000000", d } });
  cloud.settle();
  expect(await four.synced.open()).toEqual({ version: 2, target: 4, devices: 2 });

  await other.area.set({ [ME]: { v: 3, h: "01234567", t: 0, r: ONE } });
  cloud.settle();
  expect(await problem(four.synced.get(PREFERENCES, "me"))).toMatchObject({ kind: "fork" });
  expect(await problem(four.synced.put(PREFERENCES, "me", ONE))).toMatchObject({ kind: "fork" });
});

test("an item that nobody could have written is left alone", async () => {
  const { device } = setup();
  const { area, synced } = device(5);
  for (const item of [null, 1, [], {}, { v: 0, h: "", r: 1 }, { v: 1.5, h: "28f548f6", r: 1 }, { v: 5, r: 1 }]) {
    await area.set({ [ME]: item as Json });
    expect(await problem(synced.put(PREFERENCES, "me", FIVE)), JSON.stringify(item)).toMatchObject({ kind: "stamp" });
  }
});

test("a record that fits no version is refused before anything is written", async () => {
  const { device } = setup();
  const { area, synced } = device(5);
  expect(await problem(synced.put(PREFERENCES, "me", { ...FIVE, theme: 1 }))).toMatchObject({
    kind: "unfit",
    collection: PREFERENCES,
    record: "me",
    path: "/theme",
  });
  expect(await problem(synced.put("letters", "me", FIVE))).toMatchObject({ kind: "chain" });
  expect(area.writes).toBe(0);
});

test("what storage would change without a word is refused", async () => {
  const { device } = setup();
  const { area, synced } = device(5);
  let deep: Json = {};
  for (let level = 0; level < 98; level++) deep = { deep };
  const values: [unknown, string][] = [
    [new Date(0), "/odd"],
    [Number.NaN, "/odd"],
    [() => undefined, "/odd"],
    [[undefined], "/odd/0"],
    [{ "a/~b": "\ud800" }, "/odd/a~1~0b"],
    [{ "\udc00": 1 }, "/odd/\udc00"],
    [new Map(), "/odd"],
  ];
  for (const [odd, path] of values) {
    expect(await problem(synced.put(PREFERENCES, "me", { ...FIVE, odd }))).toMatchObject({ kind: "unstorable", path });
  }
  expect((await problem(synced.put(PREFERENCES, "me", { ...FIVE, deep }))).message).toContain("deep");
  expect(await problem(synced.put(PREFERENCES, "\ud800", FIVE))).toMatchObject({ kind: "unstorable" });
  expect(area.writes).toBe(0);
  await synced.put(PREFERENCES, "me", { ...FIVE, odd: undefined });
  expect(await synced.get(PREFERENCES, "me")).toEqual(FIVE);
});

test("a record that would not come back from an older version is refused", async () => {
  const { cloud, clock, device } = setup();
  const exuvia = translator(chainUpTo(5));
  const forgetful = {
    translate: async (...[collection, record, from, to, , context]: Parameters<typeof exuvia.translate>) =>
      exuvia.translate(collection, record, from, to, {}, context),
  };
  const young = new Device(cloud, clock, 5, { exuvia: forgetful });
  await known(cloud, device(1));
  expect(await problem(young.synced.put(PREFERENCES, "me", FIVE))).toMatchObject({ kind: "lossy" });
  expect(young.area.writes).toBe(0);
});

test("what arrives while a record is being translated is not written over", async () => {
  const { cloud, clock, device } = setup();
  const young = device(5);
  const chain = chainUpTo(1);
  const slow = translator(chain);
  const arrivals = [() => cloud.settle()];
  const exuvia: typeof slow = {
    calls: 0,
    async translate(...call) {
      const moved = await slow.translate(...call);
      arrivals.pop()?.();
      return moved;
    },
  };
  const old = new Device(cloud, clock, 1, { exuvia });
  await known(cloud, old, young);
  await young.synced.put(PREFERENCES, "me", FIVE);
  // The old device starts to write when it has not heard of the record, and hears of it half-way.
  await old.synced.put(PREFERENCES, "me", { ...ONE, privacy_mode: "strict", theme: "light" });
  cloud.settle();
  expect(await young.synced.get(PREFERENCES, "me")).toEqual({ ...FIVE, theme: "light" });
});

test("ids and times that steps make are the same on every device", async () => {
  const { cloud, clock, device } = setup();
  const [chain, told] = [chainUpTo(5), [] as unknown[]];
  const listening = translator(chain);
  const exuvia: typeof listening = {
    calls: 0,
    translate(...call) {
      told.push(call[5]);
      return listening.translate(...call);
    },
  };
  const [old, young] = [device(1), new Device(cloud, clock, 5, { exuvia })];
  await known(cloud, old, young);
  await old.synced.put(PREFERENCES, "me", ONE);
  const now = Math.floor(clock.now() / 1_000) * 1_000;
  cloud.settle();
  clock.passDays(3);
  const first = await young.synced.get(PREFERENCES, "me");
  await young.synced.put(PREFERENCES, "me", { ...(first as object), theme: "light" });
  await young.synced.get(PREFERENCES, "me");
  expect(told.length).toBeGreaterThan(3);
  for (const context of told) expect(context).toEqual({ key: "me", now });
});

test("a collection that is renamed on the way is no collection to share", async () => {
  const { cloud, clock } = setup();
  const chain = chainUpTo(5);
  const stages = chain.stages.map((stage, index) =>
    index === 2
      ? {
          ...stage,
          rehomes: [{ is: "rename", from: "distillations", to: "notes" }],
          collections: { distillations: null, notes: { layout: { is: "prefix", prefix: "note:" } } },
        }
      : stage,
  );
  const { synced } = new Device(cloud, clock, 5, { chain: { ...chain, stages } });
  for (const name of ["distillations", "notes"]) {
    expect(await problem(synced.get(name, "x"))).toMatchObject({ kind: "chain", collection: name });
  }
  expect(await synced.get(PREFERENCES, "me")).toBeUndefined();
});

test("a deleted record is gone from every device, and none of its residue comes back", async () => {
  const { cloud, device } = setup();
  const [old, young] = [device(1), device(5)];
  await known(cloud, old, young);
  await young.synced.put(PREFERENCES, "me", FIVE);
  cloud.settle();
  await old.synced.remove(PREFERENCES, "me");
  cloud.settle();
  expect(await young.synced.get(PREFERENCES, "me")).toBeUndefined();
  await old.synced.put(PREFERENCES, "me", { ...ONE, privacy_mode: "strict" });
  cloud.settle();
  const privacy = { store_history: false, share_usage: false, retain_days: 7 };
  expect(await young.synced.get(PREFERENCES, "me")).toEqual({ ...FIVE, privacy });
});

test("changes are told at this build's version, whoever made them", async () => {
  const { cloud, device } = setup();
  const [old, young] = [device(1), device(5)];
  await known(cloud, old, young);
  const heard: FoundRecord[] = [];
  const stop = young.synced.subscribe((change) => heard.push(change));
  await old.synced.put(PREFERENCES, "me", { ...ONE, privacy_mode: "strict" });
  cloud.settle();
  await expect.poll(() => heard.length).toBe(1);
  const privacy = { store_history: false, share_usage: false, retain_days: 7 };
  expect(heard).toEqual([{ collection: PREFERENCES, key: "me", record: { ...FIVE, privacy } }]);
  await old.synced.remove(PREFERENCES, "me");
  cloud.settle();
  await expect.poll(() => heard.length).toBe(2);
  expect(heard[1]).toEqual({ collection: PREFERENCES, key: "me" });
  stop();
  await old.synced.put(PREFERENCES, "me", ONE);
  cloud.settle();
  await young.synced.get(PREFERENCES, "me");
  expect(heard.length).toBe(2);
});

test.describe("data from before Exuvia", () => {
  test("stays where older builds find it, in their form, and keeps what only newer ones know", async () => {
    const { cloud, device } = setup();
    const [before, young] = [device(1), device(5)];
    await before.area.set({ user_preferences: ONE });
    cloud.settle();
    await young.synced.open();
    expect(await young.synced.get(PREFERENCES, PREFERENCES)).toMatchObject({ privacy: { retain_days: 90 } });
    expect(await young.synced.list(PREFERENCES)).toHaveLength(1);

    await young.synced.put(PREFERENCES, PREFERENCES, FIVE);
    cloud.settle();
    const found = before.area.all()["user_preferences"] as JsonObject;
    expect(found).toEqual({ ...ONE, privacy_mode: "strict" });
    await before.area.set({ user_preferences: { ...found, theme: "light" } });
    cloud.settle();
    expect(await young.synced.get(PREFERENCES, PREFERENCES)).toEqual({ ...FIVE, theme: "light" });

    await young.synced.remove(PREFERENCES, PREFERENCES);
    expect(Object.keys(young.area.all()).filter((key) => !key.startsWith("exuvia:d:"))).toEqual([]);
  });

  test("that arrives when a record with a stamp is there already counts as the later one", async () => {
    const { cloud, device } = setup();
    const [before, young] = [device(1), device(5)];
    await young.synced.put(PREFERENCES, PREFERENCES, FIVE);
    await before.area.set({ user_preferences: { ...ONE, theme: "system" } });
    cloud.settle();
    expect(await young.synced.get(PREFERENCES, PREFERENCES)).toMatchObject({ theme: "system" });
    await young.synced.put(PREFERENCES, PREFERENCES, FIVE);
    cloud.settle();
    expect(before.area.all()).toMatchObject({ user_preferences: { theme: "dark" } });
    expect(Object.keys(before.area.all())).not.toContain("exuvia:s:user_preferences:user_preferences");
    expect(await young.synced.get(PREFERENCES, PREFERENCES)).toEqual(FIVE);
  });

  test("in a list or a map under one key stays in it", async () => {
    const { cloud, device } = setup();
    const [before, young] = [device(1), device(5)];
    const talk = (id: string) => ({ id, title: id, create_time: 1, update_time: 2, messages: [] });
    const note = { conversation: "a", text: "t", tags: "p, q", created: 7 };
    const distillations = JSON.parse(JSON.stringify({ d: note, e: note })) as JsonObject;
    await before.area.set({ conversations: [talk("a"), talk("b"), talk("c")], distillations });
    cloud.settle();
    const heard: FoundRecord[] = [];
    young.synced.subscribe((change) => heard.push(change));
    expect((await young.synced.list("conversations")).map(({ key }) => key)).toEqual(["a", "b", "c"]);
    const b = (await young.synced.get("conversations", "b")) as JsonObject;
    expect(b).toMatchObject({ create_time: "1970-01-01T00:00:01Z" });
    await young.synced.put("conversations", "b", { ...b, title: "new" });
    await young.synced.remove("conversations", "c");
    await young.synced.remove("distillations", "d");
    await young.synced.put("conversations", "z", { ...b, id: "z" });
    expect(await problem(young.synced.put("conversations", "a", { ...b, id: "x" }))).toMatchObject({ kind: "unfit" });
    cloud.settle();
    const all = before.area.all();
    expect(all["conversations"]).toEqual([talk("a"), { ...talk("b"), title: "new" }]);
    expect(all["distillations"]).toEqual({ e: note });
    expect(Object.keys(all)).toContain("exuvia:s:conversations:z");
    await expect.poll(() => new Set(heard.map(({ key }) => key))).toEqual(new Set(["b", "c", "d", "z"]));
  });
});

test.describe("the browser's limits", () => {
  test("what does not fit is refused with its size, and nothing is written", async () => {
    const { device } = setup();
    const { area, synced } = device(5);
    const sized = (bytes: number, text = "x") => ({ ...FIVE, odd: text.repeat(bytes) });
    const refused = await problem(synced.put(PREFERENCES, "me", sized(8_000)));
    expect(refused).toMatchObject({ kind: "quota", message: expect.stringMatching(/8192 bytes, found one of 82\d\d/) });
    // Each counts for six bytes.
    expect(await problem(synced.put(PREFERENCES, "me", sized(1_400, "<")))).toMatchObject({ kind: "quota" });
    expect(area.writes).toBe(0);

    for (let i = 0; i < 12; i++) await synced.put(PREFERENCES, `k${i}`, sized(7_900));
    const before = area.all();
    const full = await problem(synced.put(PREFERENCES, "last", sized(7_900)));
    expect(full).toMatchObject({ kind: "quota", message: expect.stringMatching(/102400 bytes in all, found 10\d{4}/) });
    expect(area.all()).toEqual(before);
    await synced.put(PREFERENCES, "k0", sized(10));
    await synced.put(PREFERENCES, "last", sized(7_000));
    expect(area.refusals).toEqual([]);
  });

  test("a size is what Chromium counts, or a little more", () => {
    // As `getBytesInUse` gave them in Chromium, each under a key of one letter.
    const counted: [unknown, number][] = [
      ["<", 9],
      ["\u2028\u2029", 15],
      ['\u0001\u007f"/\\', 15],
      ["é中👩", 12],
      [2 ** 31, 13],
      [2 ** 53, 22],
      [1_697_043_600_000, 14],
      [1e21, 6],
      [5e-324, 7],
      [null, 5],
      [{ a: {} }, 9],
    ];
    for (const [value, bytes] of counted) {
      expect(sizeOf("k", value), JSON.stringify(value)).toBeGreaterThanOrEqual(bytes);
      expect(sizeOf("k", value), JSON.stringify(value)).toBeLessThanOrEqual(bytes + 6);
    }
    expect(sizeOf("é", 1)).toBe(3);
    expect(sizeOf("k", undefined)).toBe(0);
  });

  test("the number of items is known before", async () => {
    const { device } = setup();
    const { area, synced } = device(5);
    await synced.open();
    const others = Array.from({ length: 511 }, (_, index): [string, Json] => [`other${index}`, 1]);
    await area.set(Object.fromEntries(others));
    const refused = await problem(synced.put(PREFERENCES, "me", FIVE));
    expect(refused).toMatchObject({ kind: "quota", message: expect.stringContaining("512 items, found 513") });
    expect(area.refusals).toEqual([]);
  });

  test("an announcement that does not fit keeps nobody from writing", async () => {
    const { device } = setup();
    const { area, synced } = device(5);
    const others = Array.from({ length: 511 }, (_, index): [string, Json] => [`other${index}`, 1]);
    await area.set(Object.fromEntries(others));
    await synced.put(PREFERENCES, "me", FIVE);
    expect(await synced.get(PREFERENCES, "me")).toEqual(FIVE);
    expect(await problem(synced.open())).toMatchObject({ kind: "quota" });
  });

  test("too many writes wait, for no longer than they may", async () => {
    const { cloud, clock } = setup();
    const device = new Device(cloud, clock, 5);
    const started = clock.now();
    for (let i = 0; i < 3_000; i++) await device.synced.put(PREFERENCES, "me", { ...FIVE, odd: i });
    expect(device.area.refusals).toEqual([]);
    expect(device.area.writes).toBe(3_000);
    const hours = (clock.now() - started) / 3_600_000;
    expect(hours).toBeGreaterThan(1.6);
    expect(hours).toBeLessThan(1.8);

    const hasty = new Device(cloud, clock, 5, { waitMs: 1_000 });
    for (let i = 0; i < 90; i++) await hasty.synced.put(PREFERENCES, "me", { ...FIVE, odd: -i });
    const refused = await problem(hasty.synced.put(PREFERENCES, "me", FIVE));
    expect(refused).toMatchObject({ kind: "busy", message: expect.stringContaining("try again in 3 s") });
  });

  test("a record that is there already is not written again", async () => {
    const { clock, device } = setup();
    const { area, synced } = device(5);
    await synced.put(PREFERENCES, "me", FIVE);
    clock.time += 5_000;
    await synced.put(PREFERENCES, "me", structuredClone(FIVE));
    expect(area.writes).toBe(1);
  });
});

test.describe("whatever the order in which things happen", () => {
  for (let first = 1; first <= 300; first += 25) {
    test(`seeds from ${first}`, async () => {
      for (let seed = first; seed < first + 25; seed++) {
        await test.step(`seed ${seed}`, () => new Life(seed).live());
      }
    });
  }
});

const KEYS = ["a", "b/c", "__proto__"];

/** A user's devices for some weeks, from a seed. Beside what the areas hold stands what it means. */
class Life {
  readonly #random: Random;
  readonly #cloud: Cloud;
  readonly #clock = new FakeClock();
  readonly #devices: Device[];
  readonly #meanings = new Map<string, Preferences>();

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#cloud = new Cloud(this.#random);
    const versions = [1, this.#random.between(2, 4), 5, this.#random.between(1, 5)];
    this.#devices = versions.map((version) => new Device(this.#cloud, this.#clock, version));
  }

  async live(): Promise<void> {
    for (let turn = 0; turn < 60; turn++) await this.#turn(this.#random.pick(this.#devices));
    this.#quiet();
    // Twice: who returns may be taken for gone at the very moment.
    for (let round = 0; round < 2; round++) {
      for (const { synced } of this.#devices) await synced.open();
      this.#quiet();
    }
    // Those with the newest build read everything that is there.
    const [youngest] = this.#devices.toSorted((a, b) => b.version - a.version);
    if (youngest) await this.#lower(youngest);
    this.#quiet();
    const server = canonical(this.#devices[0]?.area.all());
    for (const device of this.#devices) {
      expect(canonical(device.area.all())).toBe(server);
      for (const key of KEYS) expect(await this.#check(device, key)).not.toBe("newer");
      expect(device.area.refusals).toEqual([]);
    }
  }

  async #turn(device: Device): Promise<void> {
    const key = this.#random.pick(KEYS);
    const deed = this.#random.below(20);
    if (deed < 8) await this.#edit(device, key);
    else if (deed < 9) await this.#delete(device, key);
    else if (deed < 10) await device.synced.open();
    else if (deed < 11) this.#clock.passDays(this.#random.below(20));
    else if (deed < 12) device.update(this.#random.between(device.version, 5));
    else await this.#check(device, key);
    for (let steps = this.#random.below(4); steps > 0; steps--) this.#cloud.step();
  }

  /** The user changes something; meanwhile things arrive. */
  async #edit(device: Device, key: string): Promise<void> {
    if ((await this.#check(device, key)) === "newer") return;
    const before = this.#meaning(device.area.all(), key);
    const after = edited(this.#random, before, device.version);
    await device.synced.put(PREFERENCES, key, shown(after, device.version));
    this.#mean(device.area.all(), key, after);
    expect(await this.#check(device, key)).toBe("found");
  }

  async #delete(device: Device, key: string): Promise<void> {
    if ((await this.#check(device, key)) === "newer") return;
    await device.synced.remove(PREFERENCES, key);
    expect(await this.#check(device, key)).toBe("none");
  }

  /** What a device shows is what the item that it has means, in its own form; or it says that the item is newer. */
  async #check(device: Device, key: string): Promise<"none" | "newer" | "found"> {
    const meaning = this.#meaning(device.area.all(), key);
    const got = await device.synced.get(PREFERENCES, key).catch((error: unknown) => {
      if (error instanceof ExuviaError && error.problem.kind === "newer") return "newer";
      throw error;
    });
    if (got === "newer") {
      expect((device.area.all()[itemKey(key)] as { v: number }).v).toBeGreaterThan(device.version);
      return "newer";
    }
    expect(canonical(got as Json)).toBe(canonical(meaning && shown(meaning, device.version)));
    return meaning ? "found" : "none";
  }

  #quiet(): void {
    const before = new Map(
      KEYS.map((key) => [key, this.#devices.map((device) => this.#meaning(device.area.all(), key))]),
    );
    this.#cloud.settle();
    // Nothing is made up on the way: what every device has in the end, one of them had.
    for (const { area } of this.#devices) {
      for (const key of KEYS) {
        const now = this.#meaning(area.all(), key);
        expect(before.get(key)).toContain(now);
      }
    }
  }

  /** What a lowered item means is what it meant before. */
  async #lower(device: Device): Promise<void> {
    const before = KEYS.map((key) => this.#meaning(device.area.all(), key));
    await device.synced.lower();
    KEYS.forEach((key, index) => this.#mean(device.area.all(), key, before[index]));
  }

  #meaning(items: Storage, key: string): Preferences | undefined {
    const item = items[itemKey(key)];
    if (item === undefined) return undefined;
    const meaning = this.#meanings.get(canonical(item));
    if (!meaning) throw new Error("expected an item that somebody wrote, found another");
    return meaning;
  }

  #mean(items: Storage, key: string, meaning: Preferences | undefined): void {
    const item = items[itemKey(key)];
    expect(item === undefined).toBe(meaning === undefined);
    if (meaning) this.#meanings.set(canonical(item), meaning);
  }
}

function itemKey(key: string): string {
  return `exuvia:s:${PREFERENCES}:${key}`;
}
