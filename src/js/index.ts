import { fileOf, forget, namedAside, unreadable } from "./aside.js";
import { jsonArea } from "./clones.js";
import { Engine } from "./engine.js";
import { currentLife, end, load, trapped, type Life } from "./life.js";
import { locked } from "./lock.js";
import { ExuviaError, problemOf } from "./problem.js";
import type { Aside, Chain, Mode, Options, Preview, Problem, Progress, Report, Snapshot, Status } from "./types.js";

export * from "./types.js";
export { ExuviaError } from "./problem.js";
export { recordsFile, type RecordLine } from "./file.js";
export { managed, type ManagedOptions } from "./managed.js";
export { Synced } from "./synced/synced.js";
export type { Clock, FoundRecord, SyncedOptions, SyncedStatus, Translator } from "./synced/types.js";

/** The control key: everything Exuvia says about the stored data stands in it. */
const CONTROL = "exuvia";

/** As in `Options.waitMs`. */
const WAIT_MS = 60_000;

const GATE: Problem = {
  kind: "gate",
  message: "expected data at the chain's tip, found a migration pending; call open() and write again",
};

const MOVING: Problem = {
  kind: "gate",
  message: "expected data at rest, found a run under way; call open() and try again",
};

const STOPPED: Problem = {
  kind: "trap",
  message:
    "expected the module to go on, found it stopped, most likely for want of memory; call open(): a run that was under " +
    "way goes on, or back",
};

interface Control {
  format: number;
  version: number;
  head: string;
  run?: unknown;
  lost?: boolean;
  held?: string;
  refused?: { problem: Problem };
  lastRun?: Report;
}

/** The data of one extension, kept at the form that its chain leads to. Make one in each context (worker, popup,
 * page); they agree among themselves. */
export class Exuvia {
  readonly #options: Options;
  readonly #area: chrome.storage.StorageArea;
  readonly #channel = new BroadcastChannel(CONTROL);
  #engine: { life: Life; made: Promise<Engine> } | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#area = options.area ?? chrome.storage.local;
  }

  /** Moves the data to the chain's tip if it is not there: finishes what was interrupted, waits for a context that
   * is at it, or runs. With nothing to do it costs one storage read and loads no WebAssembly. It answers with a state
   * rather than throwing, except for failures of the browser itself. */
  async open(how: { retry?: boolean } = {}): Promise<Status> {
    return (await this.#settled()) ?? this.#call((engine) => engine.open(how.retry ?? false));
  }

  /** What the stored data is, without changing or waiting for anything. At the chain's tip it costs one storage read. */
  async status(): Promise<Status> {
    return (await this.#settled()) ?? this.#call((engine) => engine.status());
  }

  /** Runs `body`, which may write to the storage area, while no migration can. Throws an `ExuviaError` where the data
   * is not at the chain's tip, or another context moves it for longer than `waitMs`. Nothing in `body` may wait for `open`, `import` or `restore`: they wait for it. */
  async write<T>(body: () => Promise<T>): Promise<T> {
    return locked(CONTROL, "shared", this.#options.waitMs ?? WAIT_MS, async () => {
      if (!(await this.#settled())) throw new ExuviaError(GATE);
      return body();
    });
  }

  /** A record of a collection in the form of the chain's tip, whatever form the store holds: where a run was refused, it
   * is moved as it is read; while one is under way, it is read from the snapshot. `undefined` where there is none. */
  async get(collection: string, key: string): Promise<unknown> {
    const at = storedAt(this.#options.chain, collection, key);
    if (at !== undefined) {
      const { [CONTROL]: head, [at]: found } = await this.#area.get<Record<string, unknown>>([CONTROL, at]);
      if (this.#isSettled(head as Control | undefined)) return found;
    }
    const text = await this.#call((engine) => engine.get(collection, key));
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  }

  /** All records of a collection, by their keys, as `get` reads them. Those that cannot be moved are left out; `get` says
   * why. */
  async list(collection: string): Promise<Map<string, unknown>> {
    return new Map(JSON.parse(await this.#call((engine) => engine.list(collection))) as [string, unknown][]);
  }

  /** Sets a record, given in the form of the chain's tip. Where the store still holds an older form it is moved down, if
   * that loses nothing. Throws an `ExuviaError` where it does not fit, would lose something, or a run is under way. Not
   * to be called inside `write`: each waits for the other. */
  async put(collection: string, key: string, record: unknown): Promise<void> {
    await this.#call((engine) => engine.put(collection, key, json(record)));
  }

  /** Removes a record, and what its migrations remember of it. As `put`. */
  async remove(collection: string, key: string): Promise<void> {
    await this.#call((engine) => engine.put(collection, key, undefined));
  }

  /** Everything in the chain's collections, as one file: a line of JSON a record. */
  async export(): Promise<Blob> {
    return this.#call((engine) => engine.export());
  }

  /** What importing `file` would change. Writes nothing. */
  async preview(file: Blob, mode: Mode): Promise<Preview> {
    return this.#call((engine) => engine.preview(file, mode));
  }

  /** Brings in a file that `export` wrote, of any version of the chain, through a run of its own: with a snapshot
   * before it, and all or nothing. */
  async import(file: Blob, mode: Mode): Promise<Status> {
    return this.#call((engine) => engine.import(file, mode));
  }

  /** The snapshots that can be restored, newest first. */
  async snapshots(): Promise<Snapshot[]> {
    return this.#call((engine) => engine.snapshots());
  }

  /** Makes the storage area exactly what the snapshot holds. Where that is an older version, the next `open` moves it
   * up again. */
  async restore(id: string): Promise<Status> {
    return this.#call((engine) => engine.restore(id));
  }

  /** What is stored beside the data, by its keys. Values that cannot be read are looked for where the last run was refused
   * because something could not be: that takes reading everything. */
  async aside(): Promise<Aside[]> {
    const { [CONTROL]: head } = await this.#area.get<{ [CONTROL]?: Control }>(CONTROL);
    const problem = head?.refused?.problem ?? head?.lastRun?.problem;
    const [named, failed] = [
      await namedAside(this.#area),
      problem?.kind === "store" ? await unreadable(this.#area) : [],
    ];
    if (!named.some(({ kind }) => kind === "stray")) return [...named, ...failed];
    // A run's snapshot has its name.
    const begun = new Map((await this.snapshots().catch(() => [])).map(({ id, createdAt }) => [id, createdAt]));
    if (head?.lastRun) begun.set(head.lastRun.run, head.lastRun.startedAt);
    const dated = named.map((aside): Aside => {
      const at = begun.get(aside.run ?? "");
      return at === undefined ? aside : { ...aside, at };
    });
    return [...dated, ...failed];
  }

  /** All that `aside` lists, with the values, as one file: a line of JSON each. For a person to read; no import takes it. */
  async exportAside(): Promise<Blob> {
    return fileOf(this.#json(), await this.aside());
  }

  /** Removes strays, and values that cannot be read, by their `id`, for good. Records stay: they are data of another version.
   * Throws an `ExuviaError`, with nothing removed, where one of them is data, and while a run is under way. */
  async forget(ids: string[]): Promise<void> {
    await locked(CONTROL, "shared", this.#options.waitMs ?? WAIT_MS, async () => {
      const { [CONTROL]: head } = await this.#area.get<{ [CONTROL]?: Control }>(CONTROL);
      if (head?.run !== undefined) throw new ExuviaError(MOVING);
      await forget(this.#area, ids);
    });
  }

  /** Moves the data to another version of the chain, usually an older one, and keeps everything that was written since:
   * what nobody changed comes back exactly, an edit comes along, what was deleted stays deleted, and what the older form
   * cannot hold is kept for the way up again. The data then stays there, `held`, until `open({ retry: true })` moves it
   * up, or a build with another chain has opened it: from then on updates are updates again. `write` refuses meanwhile.
   * Throws where a record cannot go, and the data is as it was. */
  async revert(version: number): Promise<Status> {
    return this.#call((engine) => engine.revert(version));
  }

  /** Moves one record between two versions, older or newer, and writes nothing: to read old data that turns up outside
   * of the store. `residue` is what a record leaves behind where its new form has no place for it. Give it back on the
   * way back, and the record is again what it was; without it, what is missing gets its default. Steps that make ids or
   * times start from the record's key (where the record does not say it itself) and from `now`, in milliseconds since
   * 1970. */
  async translate(
    collection: string,
    record: unknown,
    from: number,
    to: number,
    residue: unknown = {},
    { key = "", now = Date.now() }: { key?: string; now?: number } = {},
  ): Promise<{ record: unknown; residue: unknown }> {
    return this.#call((engine) => {
      const moved = engine.translate(collection, from, to, json(record), json(residue), key, now);
      return { record: JSON.parse(moved.record) as unknown, residue: JSON.parse(moved.residue) as unknown };
    });
  }

  /** Calls `listener` with the progress of any run, in any context of the extension. Returns the way to stop it. */
  subscribe(listener: (progress: Progress) => void): () => void {
    const heard = (event: MessageEvent<Progress>) => listener(event.data);
    this.#channel.addEventListener("message", heard);
    return () => this.#channel.removeEventListener("message", heard);
  }

  async #settled(): Promise<Status | undefined> {
    const { [CONTROL]: found } = await this.#area.get<{ [CONTROL]?: Control }>(CONTROL);
    if (!this.#isSettled(found)) return undefined;
    const { version } = tipOf(this.#options.chain);
    const { lastRun } = found;
    return { state: "current", version, target: version, ...(lastRun && { lastRun }) };
  }

  #isSettled(found: Control | undefined): found is Control {
    if (found?.format !== 1) return false;
    // Something to finish, to find out or to forget.
    if (found.run !== undefined || found.lost || found.held !== undefined) return false;
    return found.head === tipOf(this.#options.chain).head;
  }

  /** The area with JSON in it. */
  #json(): chrome.storage.StorageArea {
    return location.protocol === "moz-extension:" ? jsonArea(this.#area) : this.#area;
  }

  async #call<T>(ask: (engine: Engine) => T | Promise<T>): Promise<T> {
    const life = currentLife();
    if (this.#engine?.life !== life) this.#engine = { life, made: this.#load(life) };
    const { made } = this.#engine;
    const trap = trapped();
    try {
      return await Promise.race([ask(await made), trap.promise]);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw problemOf(error);
      end(life);
      throw new ExuviaError(STOPPED);
    } finally {
      trap.forget();
    }
  }

  async #load(life: Life): Promise<Engine> {
    try {
      return await this.#start(life);
    } catch (error) {
      // The next call tries again: what failed may have been the fetch.
      this.#engine = undefined;
      throw error;
    }
  }

  async #start(life: Life): Promise<Engine> {
    await load(this.#options.wasm);
    const { chain, customs = [], waitMs = WAIT_MS, keepSnapshots = 3, keepSnapshotsMs = Infinity } = this.#options;
    const area = this.#json();
    // Storage answers in the order that it is asked in: what a run sent before its module trapped is written by then.
    const settled = life.ended.then(() => area.get(CONTROL)).catch(() => undefined);
    const engine = new Engine(area, JSON.stringify(chain), waitMs, keepSnapshots, keepSnapshotsMs, settled);
    for (const { name, revision, up, down } of customs)
      engine.register(name, revision, onJson(up), down && onJson(down));
    return engine;
  }
}

/** JSON has no `undefined`. */
function json(value: unknown): string {
  return JSON.stringify(value ?? null);
}

/** The module hands over texts, and wants texts. */
function onJson(custom: (value: unknown) => unknown): (text: string) => string {
  return (text) => json(custom(JSON.parse(text)));
}

function tipOf(chain: Chain): { version: number; head: string } {
  const tip = chain.line.at(-1);
  if (!tip)
    throw new ExuviaError({ kind: "chain", message: "expected at least one migration in the chain, found none" });
  return { version: chain.line.length, head: tip.head };
}

/** The storage key of a record at the chain's tip, where it has one of its own. */
function storedAt(chain: Chain, collection: string, key: string): string | undefined {
  const changed = chain.stages.findLast(({ collections }) => collection in collections);
  const layout = changed?.collections[collection]?.layout;
  if (layout?.is === "prefix" && layout.prefix !== undefined) return layout.prefix + key;
  return layout?.is === "record" && key === collection ? layout.key : undefined;
}
