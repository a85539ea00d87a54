/** What the driver and the extension's worker say to each other. */

import type { JsonObject } from "../../json.js";

/** A conversation, of any version. */
export type Conversation = JsonObject & { id: string };

export type StoreName = "storage" | "wxt" | "dexie" | "rxdb";

export type CaseName =
  "plain" | "best" | "exuvia" | "wxt" | "dexie" | "rxdb" | "plainTenth" | "bestTenth" | "exuviaTenth";

/** One life of the browser: fill a store with version 1, or move what a former life filled. */
export type Job = { act: "seed"; store: StoreName; records: number } | { act: "move"; name: CaseName; records: number };

/** Where the extension finds the driver; the driver writes it into the extension's folder. */
export const PLACE = "driver.json";

/** How many records are handed over, read or written at a time. */
export const GROUP = 50;
