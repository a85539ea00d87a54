/// <reference types="node" />
import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { chatgpt } from "./chatgpt.js";

interface Said {
  role?: string;
  parts?: unknown[];
  content?: object;
  time?: number | null;
  metadata?: object;
}

/** A node of the mapping, named by its key. */
function node(parent: string | null, said?: Said): object {
  if (!said) return { parent, children: [], message: null };
  const { role = "user", parts = ["words"], content, time = null, metadata = {} } = said;
  const message = {
    author: { role },
    create_time: time,
    content: content ?? { content_type: "text", parts },
    metadata,
  };
  return { parent, children: [], message };
}

function conversation(mapping: object, more: object = {}): object {
  return { id: "c1", title: "T", create_time: 10.5, update_time: 20.25, mapping, current_node: "b", ...more };
}

function converted(...items: object[]): unknown[] {
  return [...chatgpt(items)].map(({ record }) => record);
}

const PAIR = {
  root: node(null),
  a: node("root", { parts: ["Q"], time: 11.000001 }),
  b: node("a", { role: "assistant", parts: ["A"] }),
};

test("the way to the current node becomes the messages", () => {
  assert.deepEqual(
    [...chatgpt([conversation(PAIR)])],
    [
      {
        collection: "conversations",
        key: "c1",
        record: {
          id: "c1",
          title: "T",
          create_time: 10.5,
          update_time: 20.25,
          messages: [
            { sender: "human", text: "Q", time: 11.000001 },
            { sender: "assistant", text: "A", time: null },
          ],
        },
      },
    ],
  );
});

test("messages of other branches are kept with their place", () => {
  const mapping = {
    ...PAIR,
    old: node("a", { role: "assistant", parts: ["first answer"] }),
    hidden: node("old", { metadata: { is_visually_hidden_from_conversation: true } }),
    reply: node("hidden", { parts: ["reply to it"] }),
    edited: node("root", { parts: ["first question"] }),
  };
  const [record] = converted(conversation(mapping)) as [{ messages: unknown[]; branches: unknown[] }];
  assert.equal(record.messages.length, 2);
  assert.deepEqual(record.branches, [
    { id: "old", parent: null, after: 1, sender: "assistant", text: "first answer", time: null },
    { id: "reply", parent: "old", after: 1, sender: "human", text: "reply to it", time: null },
    { id: "edited", parent: null, after: 0, sender: "human", text: "first question", time: null },
  ]);
});

test("a branch is placed also when the file has it before its parents", () => {
  const mapping = {
    last: node("mid", { parts: ["3"] }),
    mid: node("first", { parts: ["2"] }),
    first: node("b", { parts: ["1"] }),
    ...PAIR,
  };
  const [record] = converted(conversation(mapping)) as [
    { branches: { id: string; parent: string | null; after: number }[] },
  ];
  assert.deepEqual(
    record.branches.map(({ id, parent, after }) => [id, parent, after]),
    [
      ["last", "mid", 2],
      ["mid", "first", 2],
      ["first", null, 2],
    ],
  );
});

test("messages of the system, hidden and empty ones are skipped", () => {
  const mapping = {
    root: node(null),
    s: node("root", { role: "system", parts: ["instructions"] }),
    h: node("s", { metadata: { is_visually_hidden_from_conversation: true } }),
    e: node("h", { parts: [""] }),
    b: node("e", { parts: [" "] }),
  };
  assert.deepEqual(converted(conversation(mapping)), [
    {
      id: "c1",
      title: "T",
      create_time: 10.5,
      update_time: 20.25,
      messages: [{ sender: "human", text: " ", time: null }],
    },
  ]);
});

test("parts that are objects become words, and are kept", () => {
  const image = { content_type: "image_asset_pointer", asset_pointer: "file-service://x", width: 64, height: 32 };
  const voice = { content_type: "audio_transcription", text: "spoken" };
  const sound = { content_type: "audio_asset_pointer", asset_pointer: "sediment://y" };
  const parts = [image, "What is it?", voice, sound, { content_type: "new_kind" }, null];
  const [record] = converted(
    conversation({ b: node(null, { content: { content_type: "multimodal_text", parts } }) }),
  ) as [{ messages: unknown[] }];
  const text = "[image, 64 × 32]\nWhat is it?\nspoken\n[audio]\n[new kind]";
  assert.deepEqual(record.messages, [{ sender: "human", text, time: null, parts }]);
});

test("contents without parts keep what the text does not say", () => {
  const quote = { content_type: "tether_quote", url: "https://example.org", title: "", text: "quoted" };
  const thoughts = { content_type: "thoughts", thoughts: [{ summary: "s" }] };
  const mapping = {
    a: node(null, { role: "assistant", content: { content_type: "code", language: "unknown", text: "1 + 1" } }),
    o: node("a", { role: "tool", content: { content_type: "execution_output", text: "2" } }),
    q: node("o", { role: "tool", content: quote }),
    b: node("q", { role: "assistant", content: thoughts }),
  };
  const [record] = converted(conversation(mapping)) as [{ messages: unknown[] }];
  assert.deepEqual(record.messages, [
    { sender: "assistant", text: "1 + 1", time: null },
    { sender: "tool", text: "2", time: null },
    { sender: "tool", text: "quoted", time: null, parts: [quote] },
    { sender: "assistant", text: "[thoughts]", time: null, parts: [thoughts] },
  ]);
});

test("what is missing or null has a plain stand-in", () => {
  const mapping = { b: node(null, { time: 7 }), c: node("b", { time: 5 }) };
  const item = { conversation_id: "new", title: null, create_time: null, mapping };
  const [record] = converted(item) as [Record<string, unknown>];
  assert.deepEqual(
    { ...record, messages: (record["messages"] as unknown[]).length },
    { id: "new", title: "", create_time: 5, update_time: 7, messages: 2 },
  );
  assert.deepEqual(converted({ id: "none", title: "", mapping: {}, current_node: null }), [
    { id: "none", title: "", create_time: 0, update_time: 0, messages: [] },
  ]);
});

test("names that JavaScript treats apart are ordinary", () => {
  const item: unknown = JSON.parse(
    `{"id":"__proto__","title":"constructor","create_time":1,"update_time":1,"current_node":"__proto__",
      "mapping":{"__proto__":{"parent":null,"message":{"author":{"role":"user"},"content":{"content_type":"text","parts":["x"]}}}}}`,
  );
  const [line] = [...chatgpt([item])];
  assert.equal(line?.key, "__proto__");
  const record = line.record as { messages: unknown };
  assert.deepEqual(record.messages, [{ sender: "human", text: "x", time: null }]);
});

test("a long branch takes no more than its length", () => {
  const mapping: Record<string, object> = { b: node(null) };
  for (let i = 0; i < 20_000; i++) mapping[`n${i}`] = node(i === 0 ? "b" : `n${i - 1}`, {});
  const [record] = converted(conversation(mapping)) as [{ branches: unknown[] }];
  assert.equal(record.branches.length, 20_000);
});

const DEEP = JSON.parse("[".repeat(200) + "]".repeat(200)) as unknown;

const FAULTS: [name: string, items: unknown[], message: string][] = [
  ["no object", [7], 'Conversation 1: expected an object at "", found a number'],
  ["no id", [{ mapping: {} }], 'Conversation 1: expected text at "/id", found nothing'],
  [
    "no mapping",
    [{ id: "x", title: "secret" }],
    'Conversation 1 (id "x"): expected an object at "/mapping", found nothing',
  ],
  [
    "title",
    [conversation(PAIR, { title: ["secret"] })],
    'Conversation 1 (id "c1"): expected text or null at "/title", found a list',
  ],
  [
    "time",
    [conversation(PAIR, { create_time: "secret" })],
    'Conversation 1 (id "c1"): expected a number or null at "/create_time", found text',
  ],
  [
    "current node",
    [conversation(PAIR, { current_node: "gone" })],
    'Conversation 1 (id "c1"): expected the id of a node in the mapping at "/current_node", found text',
  ],
  [
    "parent",
    [conversation({ b: node("gone", {}) })],
    'Conversation 1 (id "c1"): expected the id of a node in the mapping at "/mapping/b/parent", found text',
  ],
  [
    "role",
    [conversation({ b: node(null, { role: "secret" }) })],
    'Conversation 1 (id "c1"): expected "user", "assistant", "tool" or "system" at "/mapping/b/message/author/role", found text',
  ],
  [
    "circle",
    [conversation({ a: node("b", {}), b: node("a", {}) })],
    'Conversation 1 (id "c1"): expected a root above "/mapping/b", found a circle',
  ],
  [
    "circle off the way",
    [conversation({ b: node(null), x: node("y", {}), y: node("x", {}) })],
    'Conversation 1 (id "c1"): expected a root above "/mapping/y", found a circle',
  ],
  [
    "same id twice",
    [conversation(PAIR), conversation(PAIR)],
    'Conversation 2 (id "c1"): expected an id of its own, found that of Conversation 1 (id "c1")',
  ],
  [
    "too deep",
    [conversation({ b: node(null, { parts: [DEEP] }) })],
    'Conversation 1 (id "c1"): expected at most 90 levels in "/mapping/b/message/content", found more',
  ],
];

for (const [name, items, message] of FAULTS) {
  test(`fault: ${name}`, () => {
    assert.throws(() => [...chatgpt(items)], { name: "ImportFault", message });
  });
}
