import type { RecordLine } from "exuvia";
import { isMembers, isTooDeep, member, type Members, Place } from "./fault.js";

/** The conversations of Claude's `conversations.json` as records of version 1. */
export function* claude(file: readonly unknown[]): Generator<RecordLine> {
  const seen = new Map<string, Place>();
  for (const [index, item] of file.entries()) {
    const place = new Place(index);
    if (!isMembers(item)) throw place.expected("an object", "", item);
    const id = textAt(item, "uuid", place);
    if (id === "") throw place.expected("text", "/uuid", id);
    place.named(id);
    const before = seen.get(id);
    if (before) throw place.fault(`expected an id of its own, found that of ${before.toString()}`);
    seen.set(id, place);
    yield { collection: "conversations", key: id, record: { id, ...conversation(item, place) } };
  }
}

function conversation(item: Members, place: Place): Members {
  const messages = member(item, "chat_messages");
  if (!Array.isArray(messages)) throw place.expected("a list", "/chat_messages", messages);
  const created = timeAt(item, "created_at", place);
  if (created === null) throw place.expected("a time", "/created_at", member(item, "created_at"));
  return {
    title: member(item, "name") === null ? "" : textAt(item, "name", place),
    create_time: created,
    update_time: timeAt(item, "updated_at", place) ?? created,
    messages: messages.flatMap((message, index) => messageOf(message, `/chat_messages/${index}`, place) ?? []),
  };
}

function messageOf(message: unknown, at: string, place: Place): Members | undefined {
  if (!isMembers(message)) throw place.expected("an object", at, message);
  const sender = member(message, "sender");
  if (sender !== "human" && sender !== "assistant") {
    throw place.expected('"human" or "assistant"', `${at}/sender`, sender);
  }
  const kept = {
    parts: unsaid(message, at, place),
    attachments: listAt(message, "attachments", place, at),
    files: listAt(message, "files", place, at),
  };
  const extra = Object.fromEntries(Object.entries(kept).filter(([, list]) => list.length > 0));
  if (isTooDeep(extra)) throw place.fault(`expected at most 90 levels in "${at}", found more`);
  const text = [said(message, at, place), ...named(kept.attachments), ...named(kept.files)].filter((t) => t !== "");
  if (text.length === 0 && kept.parts.length === 0) return undefined;
  return { sender, text: text.join("\n"), time: timeAt(message, "created_at", place, at), ...extra };
}

/** What the message says: its text, or, where newer exports leave that empty, the text of its content. */
function said(message: Members, at: string, place: Place): string {
  const text = member(message, "text") ?? "";
  if (typeof text !== "string") throw place.expected("text", `${at}/text`, text);
  if (text !== "") return text;
  return listAt(message, "content", place, at)
    .map((block) => blockText(block) ?? `[${blockType(block)}]`)
    .join("\n\n");
}

/** The content as it came, where the text does not say all that is in it. */
function unsaid(message: Members, at: string, place: Place): unknown[] {
  const content = listAt(message, "content", place, at);
  const text = said(message, at, place);
  const all = content.every((block) => {
    const inner = blockText(block);
    return inner !== undefined && text.includes(inner);
  });
  return all ? [] : content;
}

function blockText(block: unknown): string | undefined {
  const text = isMembers(block) && member(block, "type") === "text" ? member(block, "text") : undefined;
  return typeof text === "string" ? text : undefined;
}

function blockType(block: unknown): string {
  const type = isMembers(block) ? member(block, "type") : undefined;
  return typeof type === "string" ? type.replaceAll("_", " ") : "part";
}

function named(files: readonly unknown[]): string[] {
  return files.map((file) => {
    const name = isMembers(file) ? member(file, "file_name") : undefined;
    return typeof name === "string" && name !== "" ? `[attachment: ${name}]` : "[attachment]";
  });
}

function textAt(object: Members, name: string, place: Place): string {
  const value = member(object, name);
  if (typeof value !== "string") throw place.expected("text", `/${name}`, value);
  return value;
}

function listAt(object: Members, name: string, place: Place, within: string): unknown[] {
  const value = member(object, name) ?? [];
  if (!Array.isArray(value)) throw place.expected("a list", `${within}/${name}`, value);
  return value;
}

function timeAt(object: Members, name: string, place: Place, within = ""): number | null {
  const value = member(object, name) ?? null;
  if (value === null) return null;
  const seconds = typeof value === "string" ? secondsOf(value) : undefined;
  if (seconds === undefined) throw place.expected("an ISO 8601 time", `${within}/${name}`, value);
  return seconds;
}

const ISO = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})$/;

/** Seconds since 1970. The fraction is carried over as it is written: by way of `Date`, which counts milliseconds, the
 * microseconds of the export would be lost. */
export function secondsOf(iso: string): number | undefined {
  const [, stem, fraction = "0", zone] = ISO.exec(iso) ?? [];
  const whole = Date.parse(`${stem}${zone}`) / 1000;
  if (Number.isNaN(whole)) return undefined;
  return whole < 0 ? whole + Number(`0.${fraction}`) : Number(`${whole}.${fraction}`);
}
