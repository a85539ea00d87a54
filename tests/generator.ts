import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Content, Conversation, ImagePart, Message, Node } from "./chatgpt.js";
import { prose, title } from "./prose.js";
import { Random } from "./random.js";

/** How many conversations make an export of about 40 MB. */
export const FULL_EXPORT = 2_100;

const SEED = 20_231_011;
const FIRST_CONVERSATION = 1_672_531_200; // 2023-01-01, before the first export of this kind

/** The conversations of one person, newest first as in a true export. The same count and seed give the same data. */
export function* conversations(count: number, seed = SEED): Generator<Conversation> {
  const random = new Random(seed);
  for (let i = count - 1; i >= 0; i--) yield conversation(random, FIRST_CONVERSATION + i * 30_000);
}

/** Writes an export file of `count` conversations, a conversation at a time. */
export async function writeExport(file: string, count = FULL_EXPORT, seed = SEED): Promise<{ bytes: number }> {
  await mkdir(dirname(file), { recursive: true });
  const out = createWriteStream(file);
  let before = "[";
  for (const item of conversations(count, seed)) {
    if (!out.write(before + JSON.stringify(item))) await once(out, "drain");
    before = ",";
  }
  out.end(before === "[" ? "[]" : "]");
  await once(out, "finish");
  return { bytes: out.bytesWritten };
}

function conversation(random: Random, start: number): Conversation {
  const created = instant(random, start);
  const tree = new Tree(random, created);
  tree.begin();
  const turns = turnCount(random);
  for (let turn = 0; turn < turns; turn++) tree.turn();
  const id = random.uuid();
  return {
    // A title is null while ChatGPT has not yet made one.
    title: random.chance(0.01) ? null : title(random),
    create_time: created,
    update_time: tree.time,
    mapping: tree.mapping,
    moderation_results: [],
    current_node: tree.leaf,
    plugin_ids: null,
    conversation_id: id,
    conversation_template_id: null,
    gizmo_id: random.chance(0.05) ? `g-${random.hex(9)}` : null,
    is_archived: random.chance(0.1),
    safe_urls: [],
    default_model_slug: random.pick(["gpt-4", "gpt-4o", "text-davinci-002-render-sha", null]),
    id,
  };
}

/** Most conversations are short, a few are very long, and some hold nothing but the root. */
function turnCount(random: Random): number {
  if (random.chance(0.01)) return 0;
  if (random.chance(0.01)) return random.between(60, 120);
  return random.chance(0.5) ? random.between(1, 3) : random.between(4, 9);
}

/** A moment in seconds with the digits that true exports have: usually six or seven decimals, sometimes none. */
function instant(random: Random, seconds: number): number {
  if (random.chance(0.05)) return seconds;
  const digits = random.pick([6, 6, 6, 7, 7, 3, 1]);
  return Number(`${seconds}.${String(random.below(10 ** digits)).padStart(digits, "0")}`);
}

class Tree {
  readonly mapping: Record<string, Node> = {};
  leaf = "";
  time: number;
  readonly #random: Random;

  constructor(random: Random, created: number) {
    this.#random = random;
    this.time = created;
  }

  /** The root, which holds no message, and the hidden message of the system below it. */
  begin(): void {
    this.leaf = this.#add(null, null);
    const hidden = this.#message("system", { content_type: "text", parts: [""] });
    hidden.weight = 0;
    hidden.create_time = null;
    hidden.metadata = { is_visually_hidden_from_conversation: true };
    this.leaf = this.#add(hidden, this.leaf);
  }

  /** A question and its answer, now and then by way of a tool. An edited question and a regenerated answer leave a
   * branch that is no longer shown. */
  turn(): void {
    const random = this.#random;
    const parent = this.leaf;
    if (random.chance(0.08)) this.#answer(this.#add(this.#question(), parent));
    let leaf = this.#add(this.#question(), parent);
    if (random.chance(0.1)) leaf = this.#callTool(leaf);
    if (random.chance(0.08)) this.#answer(leaf);
    this.leaf = this.#answer(leaf);
  }

  #question(): Message {
    const random = this.#random;
    const text = prose(random, random.chance(0.005) ? 60_000 : random.between(10, 500));
    if (!random.chance(0.04)) return this.#message("user", { content_type: "text", parts: [text] });
    const parts = random.chance(0.2) ? [image(random)] : [image(random), text];
    return this.#message("user", { content_type: "multimodal_text", parts });
  }

  #answer(parent: string): string {
    const random = this.#random;
    const length = random.chance(0.003) ? 150_000 : random.between(50, 1_500);
    const text = random.chance(0.01) ? "" : prose(random, length);
    return this.#add(this.#message("assistant", { content_type: "text", parts: [text] }), parent);
  }

  #callTool(parent: string): string {
    const random = this.#random;
    const call = this.#message("assistant", {
      content_type: "code",
      language: "unknown",
      text: `import pandas as pd\nprint(pd.read_csv("/mnt/data/${random.hex(6)}.csv").describe())`,
    });
    call.recipient = "python";
    call.end_turn = false;
    const reply = this.#message("tool", toolOutput(random));
    reply.author.name = random.pick(["python", "browser", "dalle.text2im"]);
    return this.#add(reply, this.#add(call, parent));
  }

  #add(message: Message | null, parent: string | null): string {
    const id = message?.id ?? this.#random.uuid();
    this.mapping[id] = { id, message, parent, children: [] };
    if (parent !== null) this.mapping[parent]?.children.push(id);
    return id;
  }

  #message(role: Message["author"]["role"], content: Content): Message {
    const random = this.#random;
    this.time = instant(random, Math.floor(this.time) + random.between(1, 90));
    return {
      id: random.uuid(),
      author: { role, name: null, metadata: {} },
      create_time: random.chance(0.02) ? null : this.time,
      update_time: null,
      content,
      status: random.chance(0.995) ? "finished_successfully" : "in_progress",
      end_turn: role === "assistant" ? true : null,
      weight: 1,
      metadata: role === "assistant" ? { model_slug: "gpt-4", finish_details: { type: "stop" } } : {},
      recipient: "all",
      channel: null,
    };
  }
}

function image(random: Random): ImagePart {
  return {
    content_type: "image_asset_pointer",
    asset_pointer: `file-service://file-${random.hex(24)}`,
    size_bytes: random.between(10_000, 4_000_000),
    width: random.between(64, 4096),
    height: random.between(64, 4096),
    fovea: null,
    metadata: random.chance(0.5) ? null : { dalle: null, sanitized: true },
  };
}

function toolOutput(random: Random): Content {
  if (random.chance(0.3)) return { content_type: "multimodal_text", parts: [image(random)] };
  if (random.chance(0.3)) {
    const quote = prose(random, random.between(100, 900));
    return {
      content_type: "tether_quote",
      url: "https://example.org/a?b=c#d",
      domain: "example.org",
      text: quote,
      title: "",
    };
  }
  return { content_type: "execution_output", text: prose(random, random.between(20, 1_200)) };
}
