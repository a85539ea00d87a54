import { model } from "#model";
import type { Branch, Conversation, Message } from "../model/view.js";
import { element, part } from "../view/element.js";
import { counted, moment } from "../view/measure.js";
import type { Query } from "./query.js";
import { Rows } from "./rows.js";
import { titled } from "./shelf.js";

const ROLES: Record<Message["role"], string> = { user: "You", assistant: "Assistant", tool: "Tool" };

/** A place in the conversation: a message, or those that once stood beside it. */
type Line = Message | readonly Branch[];

let query: Query;
const messages = new Rows<Line>(part("messages", HTMLElement), (line) =>
  "role" in line ? message(line) : others(line),
);

/** Shows one conversation whole. False if it is not there any more. */
export async function read(id: string, looked: Query): Promise<boolean> {
  const conversation = await model.conversation(id);
  if (!conversation) return false;
  query = looked;
  part("reader-title", HTMLElement).replaceChildren(titled(conversation.title, query));
  part("reader-facts", HTMLElement).textContent = facts(conversation);
  messages.show(linesOf(conversation));
  return true;
}

function facts({ created, messages: said, branches }: Conversation): string {
  const parts = [counted(said.length, "message")];
  if (branches.length > 0) parts.push(`${branches.length} in other versions`);
  if (created !== undefined) parts.unshift(moment(created));
  return parts.join(" · ");
}

/** The messages, and after each the other versions that branch off there. */
function linesOf({ messages: said, branches }: Conversation): Line[] {
  const lines: Line[] = [];
  for (let after = 0; after <= said.length; after += 1) {
    const before = said[after - 1];
    if (before) lines.push(before);
    const beside = branches.filter((branch) => branch.after === after);
    if (beside.length > 0) lines.push(beside);
  }
  return lines;
}

function message({ role, text, time }: Message): HTMLElement {
  const when =
    time === undefined ? undefined : element("time", { datetime: new Date(time).toISOString() }, moment(time));
  return element(
    "li",
    { class: "message", "data-role": role, "data-testid": "message" },
    element("p", { class: "who" }, element("strong", {}, ROLES[role]), when),
    element("div", { class: "text", dir: "auto" }, ...query.marked(text)),
  );
}

function others(branches: readonly Branch[]): HTMLElement {
  const inner = element("ol", {}, ...branches.map(message));
  const summary = element("summary", {}, `Another version: ${counted(branches.length, "message")}`);
  return element("li", { class: "others" }, element("details", {}, summary, inner));
}
