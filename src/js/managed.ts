import { ExuviaError } from "./problem.js";
import { isObject, own } from "./synced/json.js";
import { Line } from "./synced/line.js";
import type { FoundRecord, Translator } from "./synced/types.js";
import type { Chain } from "./types.js";

/** What `managed` needs. */
export interface ManagedOptions {
  /** The chain this build of the extension carries. */
  chain: Chain;
  /** Translates records, usually the extension's `Exuvia`. */
  exuvia: Translator;
  /** Default: `chrome.storage.managed`. */
  area?: chrome.storage.StorageArea;
}

/** The records that an administrator has set by policy, at this build's version. A policy stands under the collection's
 * name and says in which version's form it is written: `{ "version": 2, "records": { "<key>": { … } } }`. So it may stay
 * as it is when the extension moves on. A policy that cannot be read is a record with a problem and without a key where
 * it is the whole of it. Nothing is ever written. */
export async function managed(collection: string, options: ManagedOptions): Promise<FoundRecord[]> {
  const policy = own(await read(options.area ?? chrome.storage.managed, collection), collection);
  if (policy === undefined) return [];
  const [target, version] = [new Line(options.chain).tip, isObject(policy) ? policy["version"] : undefined];
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1 || version > target) {
    const message = `expected a policy with a version from 1 to ${target}, found none or another`;
    return [{ collection, key: "", problem: { kind: "policy", message, collection, path: "/version" } }];
  }
  const records = isObject(policy) && policy["records"];
  if (!isObject(records) || Array.isArray(records)) {
    const message = "expected a policy with records, an object with a member for each key, found none";
    return [{ collection, key: "", problem: { kind: "policy", message, collection, path: "/records" } }];
  }
  const all = Object.entries(records).map(async ([key, record]): Promise<FoundRecord> => {
    try {
      // Also where the version is this build's: an administrator's record is checked by nobody else.
      const moved = await options.exuvia.translate(collection, record, version, target, {}, { key, now: 0 });
      return { collection, key, record: moved.record };
    } catch (error) {
      if (error instanceof ExuviaError) return { collection, key, problem: { ...error.problem, record: key } };
      throw error;
    }
  });
  return Promise.all(all);
}

async function read(area: chrome.storage.StorageArea, key: string): Promise<Record<string, unknown>> {
  try {
    return await area.get<Record<string, unknown>>(key);
  } catch (error) {
    // Firefox's word for having no policy.
    if (error instanceof Error && /manifest not found/i.test(error.message)) return {};
    throw error;
  }
}
