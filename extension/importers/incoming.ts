import { type Chain, recordsFile } from "exuvia";
import { chatgpt } from "./chatgpt.js";
import { claude } from "./claude.js";
import { ImportFault, isMembers, kindOf, member } from "./fault.js";
import { badPlace } from "./place.js";

export type Kind = "exuvia" | "chatgpt" | "claude";

/** A file that can be imported, and what it was before. */
export interface Incoming {
  kind: Kind;
  name: string;
  /** As `Exuvia.import` reads it. */
  file: Blob;
}

/** The importers write records of version 1; the chain brings them to any later one. */
const WRITTEN = 1;

/** Above this, the text of a file does not fit into one string. */
const LARGEST = 500_000_000;

/** Finds out what a file is and brings it into the form of an export file. */
export async function incoming(file: File, chain: Chain): Promise<Incoming> {
  if (await isExport(file)) return { kind: "exuvia", name: file.name, file };
  if (file.size > LARGEST) throw new ImportFault("Expected a file of at most 500 MB, found a larger one.");
  const conversations = parsed(await textOf(file));
  const kind = kindOfList(conversations);
  const records = kind === "chatgpt" ? chatgpt(conversations) : claude(conversations);
  return { kind, name: file.name, file: recordsFile(chain, WRITTEN, records) };
}

async function isExport(file: File): Promise<boolean> {
  const start = new Uint8Array(await file.slice(0, 65_536).arrayBuffer());
  if (start.length === 0) throw new ImportFault("The file is empty.");
  if (start[0] === 0x50 && start[1] === 0x4b) {
    throw new ImportFault("This is a ZIP archive. Unpack it and choose the conversations.json inside.");
  }
  const [line = ""] = new TextDecoder().decode(start).split("\n", 1);
  try {
    const header: unknown = JSON.parse(line);
    return isMembers(header) && member(header, "exuvia") === "export";
  } catch {
    return false;
  }
}

async function textOf(file: File): Promise<string> {
  try {
    // As a stream, which does not mind a character cut in half at the end: that is a file cut short, not a damaged one.
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer(), { stream: true });
  } catch {
    throw new ImportFault("Expected text in UTF-8, found bytes that are not. The file may be damaged.");
  }
}

function parsed(text: string): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ImportFault(notJson(text));
  }
  if (!Array.isArray(value)) throw new ImportFault(`Expected a list of conversations, found ${kindOf(value)}.`);
  return value;
}

function notJson(text: string): string {
  const place = badPlace(text);
  if (!place) return "Expected JSON that the browser can read, found something else.";
  const where = `line ${place.line}, column ${place.column}${place.item > 0 ? `, in conversation ${place.item}` : ""}`;
  return place.ended
    ? `The file ends too soon: at ${where}. It was cut off; download or copy it again.`
    : `The file is not valid JSON from ${where} on.`;
}

function kindOfList(conversations: readonly unknown[]): "chatgpt" | "claude" {
  const [first] = conversations;
  if (first === undefined) throw new ImportFault("The file holds an empty list: there is nothing to import.");
  if (isMembers(first)) {
    if (Object.hasOwn(first, "mapping")) return "chatgpt";
    if (Object.hasOwn(first, "chat_messages")) return "claude";
  }
  throw new ImportFault(
    'Expected a "mapping" (ChatGPT) or "chat_messages" (Claude) in conversation 1, found neither. ' +
      "Choose the conversations.json of an export, or a file exported here.",
  );
}
