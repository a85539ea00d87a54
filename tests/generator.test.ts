import { expect, test } from "@playwright/test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shownPath, type Conversation, type Message } from "./chatgpt.js";
import { conversations, writeExport } from "./generator.js";

const ALL = [...conversations(400)];
const TEXTS = ALL.flatMap(messagesOf).flatMap(textsOf);

test("the same seed gives the same conversations, another seed others", () => {
  expect([...conversations(400)]).toEqual(ALL);
  expect(JSON.stringify([...conversations(400, 1)])).not.toBe(JSON.stringify(ALL));
});

test("a file holds what the generator gives, whatever the count", async () => {
  const folder = await mkdtemp(join(tmpdir(), "exuvia-generator-"));
  try {
    for (const count of [0, 1, 400]) {
      const { bytes } = await writeExport(join(folder, "export.json"), count);
      const written = await readFile(join(folder, "export.json"));
      expect(written.length).toBe(bytes);
      expect(JSON.parse(written.toString())).toEqual([...conversations(count)]);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("each mapping is a tree that links both ways, with the current node a leaf of it", () => {
  for (const { id, mapping, current_node } of ALL) {
    const nodes = Object.values(mapping);
    expect(
      nodes.filter(({ parent }) => parent === null),
      `the roots of ${id}`,
    ).toHaveLength(1);
    const down = nodes.flatMap((node) => node.children.map((child) => `${node.id} ${child}`));
    const up = nodes.flatMap((node) => (node.parent === null ? [] : `${node.parent} ${node.id}`));
    expect(down.sort(), `the links of ${id}`).toEqual(up.sort());
    expect(mapping[current_node]?.children).toEqual([]);
  }
});

const MUST_OCCUR: Record<string, (conversation: Conversation) => boolean> = {
  "an empty title": ({ title }) => title === "",
  "a title that is null": ({ title }) => title === null,
  "a branch": ({ mapping }) => Object.values(mapping).some(({ children }) => children.length > 1),
  "messages that are not shown": (one) => shownPath(one).length < messagesOf(one).length,
  "no message but the hidden one": (one) => shownPath(one).length === 1,
  "more than fifty messages": (one) => shownPath(one).length > 50,
  "a time with seven decimals": ({ create_time }) => /\.\d{7}$/.test(String(create_time)),
  "a time without decimals": ({ create_time }) => Number.isInteger(create_time),
  "a message without a time": (one) => messagesOf(one).some(({ create_time }) => create_time === null),
};

for (const [what, occurs] of Object.entries(MUST_OCCUR)) {
  test(`a generated export has ${what}`, () => expect(ALL.filter(occurs).length).toBeGreaterThan(0));
}

for (const kind of ["text", "multimodal_text", "code", "execution_output", "tether_quote"]) {
  test(`a generated export has content of type ${kind}`, () => {
    const kinds = ALL.flatMap(messagesOf).map(({ content }) => content.content_type);
    expect(kinds).toContain(kind);
  });
}

const HARD_TEXT: Record<string, string> = {
  "joined emoji": "\u200D",
  "a mark that combines": "\u0301",
  "right-to-left text": "\u0627",
  "a direction override": "\u202E",
  "a line separator": "\u2028",
  "a control character": "\u0001",
  "the name of every prototype": "__proto__",
};

for (const [what, text] of Object.entries(HARD_TEXT)) {
  test(`a generated export has ${what} in its text`, () => {
    expect(TEXTS.filter((part) => part.includes(text)).length).toBeGreaterThan(0);
  });
}

test("no text holds what storage cannot: the null character, or half a surrogate pair", () => {
  expect(TEXTS.filter((text) => /\0|\p{Surrogate}/u.test(text))).toEqual([]);
});

function messagesOf({ mapping }: Conversation): Message[] {
  return Object.values(mapping).flatMap(({ message }) => message ?? []);
}

function textsOf({ content }: Message): string[] {
  return "parts" in content ? content.parts.flatMap((part) => (typeof part === "string" ? part : [])) : [content.text];
}
