/** A stand-in for chrome.storage.local, which a test page does not have; and hands into the stores where Exuvia keeps
 * snapshots, to damage them. */
/* global BroadcastChannel, DOMException, indexedDB, navigator, setTimeout */

const NAME = "exuvia";

/** As it is before Chromium 130 and in Firefox ESR. */
export class OlderStorageArea {
  /** A JSON text a key: values come back as copies, and as JSON knows them. */
  #stored;
  #damage = (_key, text) => text;
  #refuse = () => undefined;

  constructor(items) {
    const entries = Object.entries(JSON.parse(items));
    this.#stored = new Map(entries.map(([key, value]) => [key, write(value)]));
    /** Calls so far, and which of them fails; 0: none. */
    this.calls = 0;
    this.failsAt = 0;
    /** How many bytes there is room for, whether the area says so or not. */
    this.capacity = Infinity;
  }

  async get(keys) {
    this.#called();
    const wanted = keys === null ? this.keys() : [keys].flat().filter((key) => this.#stored.has(key));
    return Object.fromEntries(wanted.map((key) => [key, JSON.parse(this.#stored.get(key))]));
  }

  async set(items) {
    this.#called();
    for (const key of Object.keys(items)) this.#refuse(key);
    const next = new Map(this.#stored);
    for (const [key, value] of Object.entries(items)) next.set(key, this.#damage(key, write(value)));
    if (size(next) > this.capacity) throw new Error("Resource::kQuotaBytes quota exceeded");
    this.#stored = next;
  }

  async remove(keys) {
    this.#called();
    for (const key of keys) this.#stored.delete(key);
  }

  async getBytesInUse(keys) {
    this.#called();
    const counted = keys ?? this.keys();
    return size(new Map([...this.#stored].filter(([key]) => counted.includes(key))));
  }

  /** Lets an area say what room it has. */
  declareQuota(bytes) {
    this.QUOTA_BYTES = bytes;
    this.capacity = bytes;
  }

  /** From now on no key that starts so is set; with nothing to say, all are. */
  refuse(prefix, saying) {
    this.#refuse = (key) => {
      if (saying && key.startsWith(prefix)) throw new Error(saying);
    };
  }

  /** From now on `from` becomes `to` in what is set under `key`. */
  damage(key, from, to) {
    this.#damage = (name, text) => (name === key ? text.replace(from, to) : text);
  }

  /** Sets a key as some other context of the extension does. */
  put(key, value) {
    this.#stored.set(key, write(JSON.parse(value)));
  }

  keys() {
    return [...this.#stored.keys()];
  }

  /** All that is not Exuvia's own, as JSON text. */
  data() {
    const theirs = this.keys().filter((key) => key !== NAME && !key.startsWith(`${NAME}:`));
    return write(Object.fromEntries(theirs.map((key) => [key, JSON.parse(this.#stored.get(key))])));
  }

  #called() {
    this.calls += 1;
    if (this.calls === this.failsAt) throw new Error("IO error: .../000003.log: Unable to write");
  }
}

export class StorageArea extends OlderStorageArea {
  async getKeys() {
    return Object.keys(await this.get(null));
  }
}

export function olderStorageArea(items) {
  return new OlderStorageArea(items);
}

/** JSON text with the members of objects sorted, as Chromium stores them. */
function write(value) {
  return JSON.stringify(value, (_name, part) => {
    const isObject = typeof part === "object" && part !== null && !Array.isArray(part);
    return isObject ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part;
  });
}

function size(stored) {
  return [...stored].reduce((sum, [key, text]) => sum + key.length + text.length, 0);
}

/** As in a new profile. */
export async function clear() {
  // A test that failed may have left them closed.
  openPlaces();
  const root = await navigator.storage.getDirectory();
  for await (const name of root.keys()) await root.removeEntry(name, { recursive: true });
  await clearDatabase();
}

/** Emptied rather than deleted: a deletion waits until the last engine's connection is collected as garbage. */
function clearDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME);
    // It is not there, and the engine is to make it.
    request.onupgradeneeded = () => request.transaction.abort();
    request.onerror = () => (request.error.name === "AbortError" ? resolve() : reject(request.error));
    request.onsuccess = () => {
      const tables = [...request.result.objectStoreNames];
      const transaction = request.result.transaction(tables, "readwrite");
      for (const table of tables) transaction.objectStore(table).clear();
      transaction.oncomplete = () => resolve(request.result.close());
      transaction.onabort = () => reject(transaction.error);
    };
  });
}

/** What a newer build does, which has more tables. */
export function upgradeDatabase() {
  return unlessHeld(indexedDB.open(NAME, 1_000), ({ result }) => result.createObjectStore("later"));
}

export function removeDatabase() {
  return unlessHeld(indexedDB.deleteDatabase(NAME), () => undefined);
}

/** Fails where somebody who has it open does not make way. */
function unlessHeld(request, upgrade) {
  return new Promise((resolve, reject) => {
    request.onupgradeneeded = () => upgrade(request);
    request.onblocked = () => reject(new Error("the database is held open"));
    request.onerror = () => reject(request.error);
    request.onsuccess = () => resolve(request.result?.close());
  });
}

async function folder() {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(NAME, { create: true });
}

/** The names of the files that snapshots are in. */
export async function files() {
  const names = [];
  for await (const name of (await folder()).keys()) names.push(name);
  return names;
}

export async function removeFile(name) {
  await (await folder()).removeEntry(name);
}

/** Leaves the first half of a file. */
export async function truncateFile(name) {
  await change(name, (writable, { size }) => writable.truncate(Math.floor(size / 2)));
}

/** Flips a bit in the middle of a file. */
export async function flipBit(name) {
  await change(name, async (writable, file) => {
    const position = Math.floor(file.size / 2);
    const [byte] = new Uint8Array(await file.slice(position, position + 1).arrayBuffer());
    await writable.write({ type: "write", position, data: new Uint8Array([byte ^ 1]) });
  });
}

async function change(name, act) {
  const handle = await (await folder()).getFileHandle(name);
  const writable = await handle.createWritable({ keepExistingData: true });
  await act(writable, await handle.getFile());
  await writable.close();
}

/** From now on the browser's file system cannot be opened, as in a private window. */
export function closeFiles() {
  close(navigator.storage, "getDirectory", async () => {
    throw new DOMException("The operation is insecure.", "SecurityError");
  });
}

/** The same for IndexedDB, as where its backing store is damaged. */
export function closeDatabase() {
  close(indexedDB, "open", () => {
    throw new DOMException("Internal error opening backing store for indexedDB.open.", "UnknownError");
  });
}

/** The real ones stand on prototypes. */
function close(object, name, closed) {
  Object.defineProperty(object, name, { configurable: true, value: closed });
}

export function openPlaces() {
  delete navigator.storage.getDirectory;
  delete indexedDB.open;
}

/** Holds the lock as another context would. Resolves, once it is held, to what gives it back. */
export function holdLock() {
  return new Promise((held) => {
    void navigator.locks.request(NAME, () => new Promise((release) => held(release)));
  });
}

/** Hears what the engine says, as a page would that shows it. */
export class Listener {
  #channel = new BroadcastChannel(NAME);
  #heard = [];

  constructor() {
    this.#channel.onmessage = ({ data }) => this.#heard.push(data);
  }

  /** All that was heard, when this phase has come. */
  async until(phase) {
    while (!this.#heard.some((progress) => progress.phase === phase))
      await new Promise((resolve) => setTimeout(resolve, 5));
    return this.#heard;
  }
}
