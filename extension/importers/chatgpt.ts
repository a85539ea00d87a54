import type { RecordLine } from "exuvia";
import { isMembers, isTooDeep, member, type Members, Place } from "./fault.js";

/** A message in the form of version 1. */
interface Message {
  sender: "human" | "assistant" | "tool";
  text: string;
  time: number | null;
  /** The parts as they came, where the text does not say all that is in them. */
  parts?: unknown[];
}

/** A message that is not on the way to the one last shown: what the person edited, and answers made anew. */
interface Branch extends Message {
  id: string;
  /** The message of the branch that it follows; null where it leaves the conversation as shown. */
  parent: string | null;
  /** How many messages of the conversation as shown come before it. */
  after: number;
}

interface Node {
  id: string;
  parent: string | null;
  message: Message | undefined;
}

/** The conversations of ChatGPT's `conversations.json` as records of version 1. Each is a tree of messages: the way from
 * the root to the current node becomes `messages`, all others are kept in `branches`. */
export function* chatgpt(file: readonly unknown[]): Generator<RecordLine> {
  const seen = new Map<string, Place>();
  for (const [index, item] of file.entries()) {
    const place = new Place(index);
    if (!isMembers(item)) throw place.expected("an object", "", item);
    const id = idOf(item, place);
    const before = seen.get(id);
    if (before) throw place.fault(`expected an id of its own, found that of ${before.toString()}`);
    seen.set(id, place);
    yield { collection: "conversations", key: id, record: { id, ...conversation(item, place) } };
  }
}

function conversation(item: Members, place: Place): Members {
  const nodes = nodesOf(item, place);
  const shown = wayTo(currentOf(item, nodes, place), nodes, place);
  const messages = shown.flatMap(({ message }) => message ?? []);
  const branches = branchesOf(nodes, shown, place);
  const times = [...messages, ...branches].flatMap(({ time }) => time ?? []);
  const created = numberAt(item, "create_time", place) ?? times.reduce((a, b) => Math.min(a, b), times[0] ?? 0);
  const updated = numberAt(item, "update_time", place) ?? times.reduce((a, b) => Math.max(a, b), created);
  return {
    title: titleOf(item, place),
    create_time: created,
    update_time: updated,
    messages,
    ...(branches.length > 0 ? { branches } : {}),
  };
}

/** Older exports call it `id`, some newer ones only `conversation_id`. */
function idOf(item: Members, place: Place): string {
  const id = member(item, "id") ?? member(item, "conversation_id");
  if (typeof id !== "string" || id === "") throw place.expected("text", "/id", id);
  place.named(id);
  return id;
}

function titleOf(item: Members, place: Place): string {
  const title = member(item, "title") ?? "";
  if (typeof title !== "string") throw place.expected("text or null", "/title", title);
  return title;
}

function numberAt(object: Members, name: string, place: Place, within = ""): number | null {
  const value = member(object, name) ?? null;
  if (value !== null && typeof value !== "number") throw place.expected("a number or null", `${within}/${name}`, value);
  return value;
}

function nodesOf(item: Members, place: Place): Map<string, Node> {
  const mapping = member(item, "mapping");
  if (!isMembers(mapping)) throw place.expected("an object", "/mapping", mapping);
  const nodes = new Map<string, Node>();
  for (const [id, value] of Object.entries(mapping)) {
    const at = `/mapping/${id}`;
    if (!isMembers(value)) throw place.expected("an object", at, value);
    const parent = member(value, "parent") ?? null;
    if (parent !== null && typeof parent !== "string") throw place.expected("text or null", `${at}/parent`, parent);
    nodes.set(id, { id, parent, message: messageOf(value, at, place) });
  }
  return nodes;
}

/** The node last shown. Where the file does not say, the last that no other follows. */
function currentOf(item: Members, nodes: ReadonlyMap<string, Node>, place: Place): Node | undefined {
  const current = member(item, "current_node") ?? null;
  if (current === null) {
    const followed = new Set([...nodes.values()].map(({ parent }) => parent));
    return [...nodes.values()].findLast(({ id }) => !followed.has(id));
  }
  const node = typeof current === "string" ? nodes.get(current) : undefined;
  if (!node) throw place.expected("the id of a node in the mapping", "/current_node", current);
  return node;
}

function wayTo(last: Node | undefined, nodes: ReadonlyMap<string, Node>, place: Place): Node[] {
  const way = new Set<Node>();
  for (let node = last; node; node = parentOf(node, nodes, place)) {
    if (way.has(node)) throw place.fault(`expected a root above "/mapping/${node.id}", found a circle`);
    way.add(node);
  }
  return [...way].reverse();
}

function parentOf(node: Node, nodes: ReadonlyMap<string, Node>, place: Place): Node | undefined {
  if (node.parent === null) return undefined;
  const parent = nodes.get(node.parent);
  if (!parent) throw place.expected("the id of a node in the mapping", `/mapping/${node.id}/parent`, node.parent);
  return parent;
}

type Anchor = Pick<Branch, "parent" | "after">;

const START: Anchor = { parent: null, after: 0 };

/** The messages off the way that is shown, in the order of the file, each with the place where it belongs. */
function branchesOf(nodes: ReadonlyMap<string, Node>, shown: readonly Node[], place: Place): Branch[] {
  const anchors = new Map<Node, Anchor>();
  let after = 0;
  for (const node of shown) {
    if (node.message) after += 1;
    anchors.set(node, { parent: null, after });
  }
  const onWay = new Set(shown);
  const branches: Branch[] = [];
  for (const node of nodes.values()) {
    if (!node.message || onWay.has(node)) continue;
    const parent = parentOf(node, nodes, place);
    const anchor = parent ? anchorBelow(parent, nodes, anchors, place) : START;
    branches.push({ id: node.id, ...anchor, ...node.message });
  }
  return branches;
}

/** Where a message belongs that follows `node`. What is found on the way up is remembered in `anchors`, so that a long
 * branch is walked once and not for each of its messages. */
function anchorBelow(node: Node, nodes: ReadonlyMap<string, Node>, anchors: Map<Node, Anchor>, place: Place): Anchor {
  const way = new Set<Node>();
  let at: Node | undefined = node;
  while (at && !anchors.has(at)) {
    if (way.has(at)) throw place.fault(`expected a root above "/mapping/${at.id}", found a circle`);
    way.add(at);
    at = parentOf(at, nodes, place);
  }
  let anchor = (at && anchors.get(at)) ?? START;
  for (const step of [...way].reverse()) {
    if (step.message) anchor = { parent: step.id, after: anchor.after };
    anchors.set(step, anchor);
  }
  return anchor;
}

/** The message of a node, or undefined where there is none to show: roots, messages of the system, hidden and empty
 * ones. */
function messageOf(node: Members, at: string, place: Place): Message | undefined {
  const message = member(node, "message") ?? null;
  if (message === null) return undefined;
  if (!isMembers(message)) throw place.expected("an object or null", `${at}/message`, message);
  const sender = senderOf(message, `${at}/message`, place);
  if (!sender || isHidden(message)) return undefined;
  const content = member(message, "content");
  if (!isMembers(content)) throw place.expected("an object", `${at}/message/content`, content);
  const { text, parts } = said(content);
  if (text === "" && !parts) return undefined;
  if (isTooDeep(parts)) throw place.fault(`expected at most 90 levels in "${at}/message/content", found more`);
  const time = numberAt(message, "create_time", place, `${at}/message`);
  return { sender, text, time, ...(parts ? { parts } : {}) };
}

function senderOf(message: Members, at: string, place: Place): Message["sender"] | undefined {
  const author = member(message, "author");
  const role = isMembers(author) ? member(author, "role") : undefined;
  switch (role) {
    case "user":
      return "human";
    case "assistant":
    case "tool":
      return role;
    case "system":
      return undefined;
    default:
      throw place.expected('"user", "assistant", "tool" or "system"', `${at}/author/role`, role);
  }
}

function isHidden(message: Members): boolean {
  const metadata = member(message, "metadata");
  return isMembers(metadata) && member(metadata, "is_visually_hidden_from_conversation") === true;
}

/** What a content says as text, and its parts where the text does not say it all. */
function said(content: Members): Pick<Message, "text" | "parts"> {
  const type = member(content, "content_type");
  const parts = member(content, "parts");
  if (Array.isArray(parts)) {
    const text = parts.map(readable).filter((piece) => piece !== "");
    return { text: text.join("\n"), ...(parts.every(isPlain) ? {} : { parts }) };
  }
  const text = member(content, "text");
  if (typeof text === "string" && (type === "text" || type === "code" || type === "execution_output")) return { text };
  return { text: readable(content), parts: [content] };
}

const isPlain = (part: unknown): boolean => typeof part === "string" || part === null;

/** A part as text: itself, the text within it, or the name of what it is. */
function readable(part: unknown): string {
  if (part === null) return "";
  if (typeof part === "string") return part;
  if (!isMembers(part)) return "[part]";
  const type = member(part, "content_type");
  if (type === "image_asset_pointer") return imageName(part);
  for (const name of ["text", "result", "content"]) {
    const text = member(part, name);
    if (typeof text === "string" && text !== "") return text;
  }
  if (typeof type !== "string") return "[part]";
  return type.includes("audio") ? "[audio]" : `[${type.replaceAll("_", " ")}]`;
}

function imageName(part: Members): string {
  const [width, height] = [member(part, "width"), member(part, "height")];
  return typeof width === "number" && typeof height === "number" ? `[image, ${width} × ${height}]` : "[image]";
}
