import type { JsonObject } from "../json.js";
import { conversationsOne } from "../userdata.js";

/** `count` conversations of version 1, each with the messages of as many generated ones as make it `bytes` long. */
export function longConversations(count: number, bytes: number): JsonObject[] {
  const records: JsonObject[] = [];
  let messages: JsonObject[] = [];
  let length = 0;
  for (const conversation of conversationsOne(Math.ceil((count * bytes) / SHORTEST))) {
    const added = conversation["messages"] as JsonObject[];
    messages.push(...added);
    length += JSON.stringify(added).length;
    if (length < bytes) continue;
    records.push({ ...conversation, messages });
    if (records.length === count) return records;
    [messages, length] = [[], 0];
  }
  throw new Error(`expected enough conversations for ${count} records, found them to make ${records.length}`);
}

/** The average conversation is longer than this, in bytes. */
const SHORTEST = 1_500;
