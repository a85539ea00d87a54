import type { Json, Storage } from "../json.js";
import type { Random } from "../random.js";

type Listener = (changes: Record<string, chrome.storage.StorageChange>) => void;

/** A storage area in memory. */
export class MemoryArea {
  readonly #listeners = new Set<Listener>();
  protected readonly items = new Map<string, Json>();

  readonly onChanged = {
    addListener: (listener: Listener) => void this.#listeners.add(listener),
    removeListener: (listener: Listener) => void this.#listeners.delete(listener),
  };

  async get(keys: string | string[] | null): Promise<Storage> {
    await Promise.resolve();
    const wanted = keys === null ? [...this.items.keys()] : [keys].flat();
    const found = wanted.flatMap((key): [string, Json][] => {
      const value = this.items.get(key);
      return value === undefined ? [] : [[key, value]];
    });
    return structuredClone(Object.fromEntries(found));
  }

  async set(items: Storage): Promise<void> {
    await Promise.resolve();
    const copies = JSON.parse(JSON.stringify(items)) as Storage;
    for (const [key, value] of Object.entries(copies)) this.put(key, value);
  }

  async remove(keys: string | string[]): Promise<void> {
    await Promise.resolve();
    for (const key of [keys].flat()) this.put(key, undefined);
  }

  /** As what a program under test takes. */
  asArea(): chrome.storage.StorageArea {
    return this as unknown as chrome.storage.StorageArea;
  }

  protected put(key: string, value: Json | undefined): void {
    const oldValue = this.items.get(key);
    if (JSON.stringify(oldValue) === JSON.stringify(value)) return;
    if (value === undefined) this.items.delete(key);
    else this.items.set(key, value);
    const change = { ...(oldValue !== undefined && { oldValue }), ...(value !== undefined && { newValue: value }) };
    for (const listener of this.#listeners) queueMicrotask(() => listener({ [key]: change }));
  }
}

/** A clock that only moves when it is told to, or when somebody sleeps. */
export class FakeClock {
  time = Date.UTC(2026, 0, 1);

  now(): number {
    return this.time;
  }

  sleep(ms: number): Promise<void> {
    this.time += ms;
    return Promise.resolve();
  }

  passDays(days: number): void {
    this.time += days * 86_400_000;
  }
}

/** What the browser allows. */
const LIMITS = { total: 102_400, item: 8_192, count: 512 };
const RATES = [
  { name: "MAX_WRITE_OPERATIONS_PER_MINUTE", most: 120, ms: 60_000 },
  { name: "MAX_WRITE_OPERATIONS_PER_HOUR", most: 1_800, ms: 3_600_000 },
];

/** What the browser says when it has synced an item: the later `order` counts. */
interface Letter {
  to: SyncArea;
  key: string;
  value: Json | undefined;
  order: number;
}

/** The server behind the areas of one user's devices. What a device writes arrives there late, and at the other devices
 * later, item by item and in any order; an item that two have written is what arrived last, or, where a device hears of
 * another's value before its own was sent, that. */
export class Cloud {
  readonly #random: Random;
  readonly #areas: SyncArea[] = [];
  readonly #items = new Map<string, Json | undefined>();
  readonly #letters: Letter[] = [];
  #order = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  area(clock: FakeClock): SyncArea {
    const area = new SyncArea(clock);
    this.#areas.push(area);
    for (const [key, value] of this.#items) this.#letters.push({ to: area, key, value, order: this.#order });
    return area;
  }

  /** One item goes up, or comes down, somewhere. False where all is quiet. */
  step(): boolean {
    const unsent = this.#areas.filter((area) => area.unsent.size > 0);
    const choice = this.#random.below(unsent.length + this.#letters.length);
    const area = unsent[choice];
    if (area) return this.#send(area);
    const [letter] = this.#letters.splice(choice - unsent.length, 1);
    letter?.to.receive(letter.key, letter.value, letter.order, this.#random.chance(0.5));
    return letter !== undefined;
  }

  /** Until every device has everything. */
  settle(): void {
    while (this.step());
  }

  #send(area: SyncArea): true {
    const key = this.#random.pick([...area.unsent]);
    const value = area.sent(key, ++this.#order);
    this.#items.set(key, value);
    for (const to of this.#areas) if (to !== area) this.#letters.push({ to, key, value, order: this.#order });
    return true;
  }
}

/** `chrome.storage.sync` of one device: refuses what Chromium refuses, whole calls at a time. */
export class SyncArea extends MemoryArea {
  readonly QUOTA_BYTES = LIMITS.total;
  readonly QUOTA_BYTES_PER_ITEM = LIMITS.item;
  readonly MAX_ITEMS = LIMITS.count;
  /** Keys that were written and are not sent yet. */
  readonly unsent = new Set<string>();
  /** What the browser refused. */
  readonly refusals: string[] = [];
  /** Calls that write. */
  writes = 0;
  readonly #clock: FakeClock;
  readonly #orders = new Map<string, number>();
  readonly #windows = RATES.map(() => ({ until: 0, count: 0 }));

  constructor(clock: FakeClock) {
    super();
    this.#clock = clock;
  }

  override async set(items: Storage): Promise<void> {
    this.#count();
    const after = new Map([...this.items, ...Object.entries(items)]);
    for (const [key, value] of Object.entries(items)) {
      if (chromiumSize(key, value) > LIMITS.item) this.#refuse("kQuotaBytesPerItem quota exceeded");
    }
    const size = [...after].reduce((sum, [key, value]) => sum + chromiumSize(key, value), 0);
    if (size > LIMITS.total) this.#refuse("kQuotaBytes quota exceeded");
    if (after.size > LIMITS.count) this.#refuse("kMaxItems quota exceeded");
    await super.set(items);
    for (const key of Object.keys(items)) this.unsent.add(key);
  }

  override async remove(keys: string | string[]): Promise<void> {
    this.#count();
    await super.remove(keys);
    for (const key of [keys].flat()) this.unsent.add(key);
  }

  /** Everything, without a program's help. */
  all(): Storage {
    return Object.fromEntries(this.items);
  }

  sent(key: string, order: number): Json | undefined {
    this.unsent.delete(key);
    this.#orders.set(key, order);
    return this.items.get(key);
  }

  receive(key: string, value: Json | undefined, order: number, mineWins: boolean): void {
    if (order < (this.#orders.get(key) ?? 0)) return;
    this.#orders.set(key, order);
    if (this.unsent.has(key) && mineWins) return;
    this.unsent.delete(key);
    this.put(key, value);
  }

  #count(): void {
    this.writes += 1;
    RATES.forEach(({ name, most, ms }, index) => {
      const window = this.#windows[index];
      if (!window) return;
      if (this.#clock.now() >= window.until) Object.assign(window, { until: this.#clock.now() + ms, count: 0 });
      window.count += 1;
      if (window.count > most) this.#refuse(`This request exceeds the ${name} quota.`);
    });
  }

  #refuse(why: string): never {
    this.refusals.push(why);
    throw new Error(why);
  }
}

/** What Chromium counts, which escapes `<` and both separators. */
function chromiumSize(key: string, value: Json): number {
  const json = JSON.stringify(value).replace(/[<\u2028\u2029]/g, "\\u0000");
  return Buffer.byteLength(key) + Buffer.byteLength(json);
}
