/** A fault for the worker of a test build: after writing has begun, one record lands otherwise than it was written,
 * as from a bad disk, and once more when it is written again. Import it before anything else. It happens once in the
 * life of an installation's session, so that a worker that starts again meets sound storage. */
export {};

/** The call that is damaged, of those that write conversations of version 3 or later. */
const NTH = 3;
const HAPPENED = "fault:damaged";

const area = chrome.storage.local;
const write = area.set.bind(area);
let calls = 0;
/** The record that is damaged, and how often it still is. */
let victim: string | undefined;
let times = 2;

// The area's methods may stand on its prototype: an own property goes before them.
Object.defineProperty(area, "set", { configurable: true, writable: true, value: set });

function set(items: Record<string, unknown>, callback?: () => void): Promise<void> | undefined {
  const written = damagedOnce(items).then(write);
  if (!callback) return written;
  void written.then(callback);
  return undefined;
}

async function damagedOnce(items: Record<string, unknown>): Promise<Record<string, unknown>> {
  const first = Object.keys(items).find((key) => key.startsWith("conversation:"));
  if (victim === undefined && first !== undefined && ++calls === NTH) {
    const { [HAPPENED]: happened } = await chrome.storage.session.get(HAPPENED);
    if (happened) return items;
    victim = first;
    await chrome.storage.session.set({ [HAPPENED]: victim });
  }
  if (victim === undefined || !(victim in items) || times === 0) return items;
  times -= 1;
  return { ...items, [victim]: damaged(items[victim]) };
}

/** The record with one letter more: it still fits every schema, so only a check of the content can tell. */
function damaged(record: unknown): unknown {
  const { title, ...others } = record as { title: string };
  return { ...others, title: `${title}?` };
}
