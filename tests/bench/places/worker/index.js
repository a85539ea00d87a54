/** The places in which an extension's worker can keep the bytes of a snapshot. Plain JavaScript: what is measured is what
 * is written here. */
/* global btoa, chrome, crypto, indexedDB, navigator, performance */

const PART = 1 << 20;
const PARTS = 54;

/** Bytes that do not pack, as those of a snapshot that is packed already. */
const parts = Array.from({ length: PARTS }, () => random(PART));

/** What storage.local would hold: it takes no bytes. Encoding and decoding is not counted. */
const texts = parts.map((part) => base64(part.subarray(0, (PART / 4) * 3)));

const places = {
  files: files(true),
  filesOnce: files(false),
  database: database(1),
  database16: database(16),
  storage: storage(),
};

/** Milliseconds that a place takes to write all parts, and to read them. */
globalThis.measure = async (name) => {
  const place = places[name];
  await place.clear();
  const writeMs = await timed(() => place.write());
  let bytes = 0;
  const readMs = await timed(async () => {
    bytes = await place.read();
  });
  await place.clear();
  if (bytes !== PART * PARTS) throw new Error(`expected ${PART * PARTS} bytes from ${name}, found ${bytes}`);
  return { bytes, writeMs, readMs };
};

async function timed(act) {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

/** As src/vault.rs does it; `again` where the file is opened again for each part that is read. */
function files(again) {
  const root = () => navigator.storage.getDirectory();
  const open = async () => (await (await root()).getFileHandle("snapshot")).getFile();
  return {
    async write() {
      const file = await (await root()).getFileHandle("snapshot", { create: true });
      const stream = await file.createWritable();
      for (const part of parts) await stream.write(part);
      await stream.close();
    },
    async read() {
      let bytes = 0;
      const file = again ? undefined : await open();
      for (let at = 0; at < PARTS; at++) {
        const part = (file ?? (await open())).slice(at * PART, (at + 1) * PART);
        bytes += (await part.arrayBuffer()).byteLength;
      }
      return bytes;
    },
    async clear() {
      await (await root()).removeEntry("snapshot").catch(() => undefined);
    },
  };
}

/** IndexedDB, with so many parts a transaction. */
function database(group) {
  const name = `snapshot-${group}`;
  const opened = new Promise((resolve, reject) => {
    const request = indexedDB.open(name);
    request.onupgradeneeded = () => request.result.createObjectStore("parts");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const transaction = async (mode, act) => {
    const open = (await opened).transaction("parts", mode, { durability: "strict" });
    const done = new Promise((resolve, reject) => {
      open.oncomplete = resolve;
      open.onabort = () => reject(open.error);
    });
    act(open.objectStore("parts"));
    await done;
  };
  return {
    async write() {
      for (let from = 0; from < PARTS; from += group) {
        await transaction("readwrite", (table) => {
          for (let at = from; at < Math.min(from + group, PARTS); at++) table.put(parts[at], at);
        });
      }
    },
    async read() {
      let bytes = 0;
      for (let from = 0; from < PARTS; from += group) {
        await transaction("readonly", (table) => {
          for (let at = from; at < Math.min(from + group, PARTS); at++) {
            const request = table.get(at);
            request.onsuccess = () => (bytes += request.result.byteLength);
          }
        });
      }
      return bytes;
    },
    clear: () => transaction("readwrite", (table) => table.clear()),
  };
}

function storage() {
  const key = (at) => `part:${at}`;
  return {
    async write() {
      for (const [at, text] of texts.entries()) await chrome.storage.local.set({ [key(at)]: text });
    },
    async read() {
      let bytes = 0;
      for (let at = 0; at < PARTS; at++) bytes += (await chrome.storage.local.get(key(at)))[key(at)].length;
      return bytes;
    },
    clear: () => chrome.storage.local.clear(),
  };
}

function random(length) {
  const bytes = new Uint8Array(length);
  // As many as are given at once.
  const most = 1 << 16;
  for (let from = 0; from < length; from += most) crypto.getRandomValues(bytes.subarray(from, from + most));
  return bytes;
}

function base64(bytes) {
  let text = "";
  const group = 3 << 12;
  for (let from = 0; from < bytes.length; from += group)
    text += btoa(String.fromCharCode(...bytes.subarray(from, from + group)));
  return text;
}
