import type { JsonObject } from "../../json.js";
import type { Conversation } from "./job.js";
import { byHand } from "../engine/by_hand.js";

/** How many records each store call of a case reaches: every tenth has a draft. */
export type Reach = "all" | "tenth";

/** What versions 2 and 3 of the chain do, by hand. */
export const change: Record<Reach, (record: Conversation) => Conversation> = {
  tenth: note,
  all: (record) => byHand(note(record)) as Conversation,
};

/** Gives back the record itself where there is nothing to do. */
function note(record: Conversation): Conversation {
  if (!("draft" in record)) return record;
  const { draft, ...others } = record;
  return { ...others, note: draft ?? null };
}

/** Throws where a record is not what the change makes of it: a case that leaves records out would be the fastest. */
export function check(record: Conversation, reach: Reach): void {
  const [message] = record["messages"] as JsonObject[];
  const moved = reach === "tenth" || (typeof record["create_time"] === "string" && message?.["role"] !== undefined);
  if (!moved || "draft" in record) throw new Error("expected every record in the new form, found one in the old");
}
