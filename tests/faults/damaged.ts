/** A fault for the worker of a test build: after writing has begun, one record lands otherwise than it was written,
 * as from a bad disk. Import it before anything else. It happens once in the life of an installation's session, so
 * that a worker that starts again meets sound storage. */
export {};

/** The call that is damaged, of those that write conversations of version 3 or later. */
const NTH = 3;
const HAPPENED = "fault:damaged";

const area = chrome.storage.local;
const write = area.set.bind(area);
let calls = 0;

// The area's methods may stand on its prototype: an own property goes before them.
Object.defineProperty(area, "set", { configurable: true, writable: true, value: set });

function set(items: Record<string, unknown>, callback?: () => void): Promise<void> | undefined {
  const written = damagedOnce(items).then(write);
  if (!callback) return written;
  void written.then(callback);
  return undefined;
}

async function damagedOnce(items: Record<string, unknown>): Promise<Record<string, unknown>> {
  const victim = Object.keys(items).find((key) => key.startsWith("conversation:"));
  if (victim === undefined || ++calls !== NTH) return items;
  const { [HAPPENED]: happened } = await chrome.storage.session.get(HAPPENED);
  if (happened) return items;
  await chrome.storage.session.set({ [HAPPENED]: victim });
  return { ...items, [victim]: damaged(items[victim]) };
}

/** The record with one letter more: it still fits every schema, so only a check of the content can tell. */
function damaged(record: unknown): unknown {
  const { title, ...others } = record as { title: string };
  return { ...others, title: `${title}?` };
}
