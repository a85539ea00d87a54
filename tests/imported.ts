import type { Content, Conversation, Message } from "./chatgpt.js";
import type { Json, JsonObject } from "./json.js";

/** What of a ChatGPT conversation is not in the record that its import made: everything that a person said or was
 * told, on the branch last shown or on any other, and every pointer to an image. It looks for content alone, not for
 * the place it has in the record, so that it need not agree with the importer on a form. `timeOf` is how the record's
 * version writes a time. */
export function missing(
  conversation: Conversation,
  record: JsonObject | undefined,
  timeOf: (seconds: number) => Json = (seconds) => seconds,
): string[] {
  if (!record) return ["the whole conversation"];
  const { id, title, create_time, update_time, mapping } = conversation;
  const same = record.id === id && record.title === (title ?? "");
  const kept = same && record.create_time === timeOf(create_time) && record.update_time === timeOf(update_time);
  const text = JSON.stringify(record);
  const messages = Object.values(mapping).flatMap(({ message }) => message ?? []);
  const lost = messages.filter((message) => !isHidden(message)).flatMap(contents);
  return [
    ...(kept ? [] : ["its id, title or times"]),
    ...lost.filter((piece) => !text.includes(JSON.stringify(piece).slice(1, -1))).map((piece) => piece.slice(0, 60)),
  ];
}

function isHidden({ metadata }: Message): boolean {
  return metadata["is_visually_hidden_from_conversation"] === true;
}

function contents({ content }: Message): string[] {
  return piecesOf(content).filter((piece) => piece !== "");
}

function piecesOf(content: Content): string[] {
  if (!("parts" in content)) return [content.text];
  return content.parts.map((part) => (typeof part === "string" ? part : part.asset_pointer));
}
