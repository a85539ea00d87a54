import { ExuviaError } from "../problem.js";
import type { Change } from "./bare.js";
import { Devices } from "./devices.js";
import { bareForm, beside, stamped, stampedForm, type Form } from "./form.js";
import { isWellFormed, unstorable } from "./json.js";
import { Line } from "./line.js";
import { Passage } from "./passage.js";
import { Collections, type Place } from "./place.js";
import type { Clock, FoundRecord, Items, SyncedOptions, SyncedStatus } from "./types.js";
import { Writer } from "./writer.js";

const BROWSER: Clock = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** Records that the devices of one user share through `chrome.storage.sync`, whatever version of the extension each of
 * them runs. There are no runs here: every record is an item with a stamp, is read at this build's version, and is
 * written at the newest version that every live device reads. Where two devices write the same record at once, the last
 * one wins, as always in this area. */
export class Synced {
  readonly #area: chrome.storage.StorageArea;
  readonly #clock: Clock;
  readonly #line: Line;
  readonly #collections: Collections;
  readonly #devices: Devices;
  readonly #passage: Passage;
  readonly #writer: Writer;

  constructor({ chain, exuvia, ...options }: SyncedOptions) {
    const { local = chrome.storage.local, session = chrome.storage.session } = options;
    this.#area = options.area ?? chrome.storage.sync;
    this.#clock = options.clock ?? BROWSER;
    this.#line = new Line(chain);
    this.#collections = new Collections(chain);
    this.#devices = new Devices(this.#line, local, this.#clock, options.liveDays ?? 30);
    this.#passage = new Passage(exuvia, this.#line.tip);
    this.#writer = new Writer(this.#area, session, this.#clock, options.waitMs ?? 60_000);
  }

  /** Announces this device, so that no other writes what it cannot read, and forgets those that were not seen for long.
   * Call it at each start of the extension's worker. */
  async open(): Promise<SyncedStatus> {
    const status = { version: 0, target: this.#line.tip, devices: 0 };
    await this.#writer.write(async (items) => {
      const { version, devices, announcement, farewell } = await this.#devices.census(items);
      Object.assign(status, { version, devices });
      return { needed: announcement, wanted: farewell };
    });
    return status;
  }

  /** Brings the records that a live device cannot read yet down to where it can, as far as they fit there: those that were
   * written while it was away for too long to count. They come down by themselves when they are written the next time;
   * this writes them all, and what another device has written meanwhile, offline say, may lose against it. So it is never
   * done unasked: call it when the user says so, on a device that reads them. */
  async lower(): Promise<void> {
    await this.#writer.write(async (items) => {
      const { version, announcement } = await this.#devices.census(items);
      return { needed: [], wanted: [...announcement, ...(await this.#lowered(items, version))] };
    });
  }

  /** The record; `undefined` where there is none. Throws an `ExuviaError` where there is one that cannot be read: it is
   * left as it is, and `put` will not overwrite it. */
  async get(collection: string, key: string): Promise<unknown> {
    const place = this.#place(collection, key);
    return this.#read(await this.#writer.read(place.keys), place);
  }

  /** All records of a collection, those that cannot be read with the reason. */
  async list(collection: string): Promise<FoundRecord[]> {
    const known = this.#collections.get(collection);
    const items = await this.#writer.read(null);
    const keys = Object.entries(items).flatMap(([key, value]) => known.changed(key, undefined, value));
    const all = [...new Set(keys)].map((key) => this.#seen(known.place(key), items));
    return (await Promise.all(all)).filter(({ record, problem }) => record !== undefined || problem);
  }

  /** Writes a record of this build's version. Throws an `ExuviaError`, and has written nothing, where the record does not
   * fit the chain, an item or the area, where it would take the place of one that this build cannot read, and where the
   * writes that the browser allows are used up for longer than `waitMs`. */
  async put(collection: string, key: string, record: unknown): Promise<void> {
    const place = this.#place(collection, key);
    const path = unstorable(record);
    if (path !== undefined) throw refused(place, path);
    await this.#writer.write(async (items) => {
      const { version, announcement } = await this.#devices.census(items);
      return { needed: await this.#written(items, place, record, version), wanted: announcement };
    });
  }

  /** Removes a record, from all devices. Throws as `get` does where it is of a version that this build does not know. */
  async remove(collection: string, key: string): Promise<void> {
    const place = this.#place(collection, key);
    await this.#writer.write((items) => {
      stampedForm(this.#line, items, place);
      const gone = [place.stamped, place.beside].map((name) => ({ key: name, value: undefined }));
      return Promise.resolve({ needed: [...place.collection.bare.change(items, key, undefined), ...gone], wanted: [] });
    });
  }

  /** Calls `listener` with each record that has changed, whoever changed it: this context, another one or another device.
   * Returns the way to stop it. */
  subscribe(listener: (change: FoundRecord) => void): () => void {
    let last = Promise.resolve();
    const heard = (changes: Record<string, chrome.storage.StorageChange>) => {
      for (const place of this.#changed(changes)) {
        // One after the other, and as it stands then: what belongs to one record may arrive item by item.
        const seen = last.then(() => this.#seen(place));
        // What the listener throws is its own affair.
        last = seen.then(
          (change) => queueMicrotask(() => listener(change)),
          (error: unknown) => reportError(error),
        );
      }
    };
    this.#area.onChanged.addListener(heard);
    return () => this.#area.onChanged.removeListener(heard);
  }

  #place(collection: string, key: string): Place {
    const place = this.#collections.get(collection).place(key);
    if (!isWellFormed(key)) throw refused(place, "");
    return place;
  }

  /** The places of the records that a change of the area concerns, each once. */
  #changed(changes: Record<string, chrome.storage.StorageChange>): Iterable<Place> {
    const places = Object.entries(changes).flatMap(([name, { oldValue, newValue }]) =>
      this.#collections
        .all()
        .flatMap((known) => known.changed(name, oldValue, newValue).map((key) => known.place(key))),
    );
    return new Map(places.map((place) => [place.stamped, place])).values();
  }

  async #read(items: Items, place: Place): Promise<unknown> {
    const found = await this.#find(items, place);
    return found && (await this.#passage.up(place, found)).record;
  }

  async #seen(place: Place, items?: Items): Promise<FoundRecord> {
    const { key, collection } = place;
    try {
      const record = await this.#read(items ?? (await this.#writer.read(place.keys)), place);
      return { collection: collection.name, key, ...(record !== undefined && { record }) };
    } catch (error) {
      if (error instanceof ExuviaError) return { collection: collection.name, key, problem: error.problem };
      throw error;
    }
  }

  /** The record as it stands. A build from before Exuvia may have written one that has a stamp already: then its is the
   * later one, and what the other has left behind on its way down belongs to it. */
  async #find(items: Items, place: Place): Promise<Form | undefined> {
    const [withStamp, without] = [stampedForm(this.#line, items, place), bareForm(items, place)];
    if (!withStamp || !without || without.at !== undefined) return without ?? withStamp;
    const { residue, at } = await this.#passage.move(place, withStamp, 1);
    return { ...without, residue, at };
  }

  /** What puts a record in its place. One without a stamp stays without, at version 1, since builds from before Exuvia
   * would not find it anywhere else, nor read it in any other form. */
  async #written(items: Items, place: Place, record: unknown, version: number): Promise<Change[]> {
    const { bare, since } = place.collection;
    const before = await this.#find(items, place);
    const residue = before ? (await this.#passage.up(place, before)).residue : {};
    const at = before?.at ?? Math.floor(this.#clock.now() / 1_000);
    const written = { version: this.#line.tip, record, residue, at };
    if (bare.find(items, place.key) === undefined) {
      const form = await this.#passage.down(place, written, Math.max(version, since));
      return [{ key: place.stamped, value: stamped(this.#line, form) }];
    }
    const form = await this.#passage.down(place, written, 1);
    if (!bare.holds(place.key, form.record)) throw misnamed(place);
    const replaced = bare.change(items, place.key, form.record);
    return [...replaced, { key: place.beside, value: beside(form) }, { key: place.stamped, value: undefined }];
  }

  /** What brings down the records that stand above `version`. One that cannot go stays where it is. */
  async #lowered(items: Items, version: number): Promise<Change[]> {
    const changes: Change[] = [];
    for (const known of this.#collections.all()) {
      const least = Math.max(version, known.since);
      for (const place of known.stampedIn(items)) {
        const form = await this.#lower(items, place, least);
        if (form) changes.push({ key: place.stamped, value: stamped(this.#line, form) });
      }
    }
    return changes;
  }

  async #lower(items: Items, place: Place, version: number): Promise<Required<Form> | undefined> {
    try {
      const form = stampedForm(this.#line, items, place);
      if (!form || form.version <= version) return undefined;
      return await this.#passage.down(place, await this.#passage.up(place, form), version);
    } catch (error) {
      if (error instanceof ExuviaError) return undefined;
      throw error;
    }
  }
}

function refused({ collection, key }: Place, path: string): ExuviaError {
  const message =
    "expected what chrome.storage gives back as it was (plain JSON, whole characters), found something else";
  return new ExuviaError({ kind: "unstorable", message, collection: collection.name, record: key, path });
}

function misnamed({ collection, key }: Place): ExuviaError {
  const message = "expected a record that holds the key under which it is written, found another there";
  return new ExuviaError({ kind: "unfit", message, collection: collection.name, record: key });
}
