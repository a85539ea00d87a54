/// <reference types="node" />
import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { claude, secondsOf } from "./claude.js";

const CREATED = "2024-05-01T12:34:56.789012Z";

function conversation(messages: unknown[], more: object = {}): object {
  return { uuid: "u1", name: "N", created_at: CREATED, updated_at: CREATED, chat_messages: messages, ...more };
}

function messages(...said: unknown[]): unknown[] {
  const [line] = [...claude([conversation(said)])];
  return (line?.record as { messages: unknown[] }).messages;
}

test("a conversation becomes a record of version 1", () => {
  const said = {
    sender: "human",
    text: "Q",
    created_at: "2024-05-01T12:35:00Z",
    content: [{ type: "text", text: "Q" }],
    attachments: [],
    files: [],
  };
  assert.deepEqual(
    [...claude([conversation([said])])],
    [
      {
        collection: "conversations",
        key: "u1",
        record: {
          id: "u1",
          title: "N",
          create_time: 1714566896.789012,
          update_time: 1714566896.789012,
          messages: [{ sender: "human", text: "Q", time: 1714566900 }],
        },
      },
    ],
  );
});

test("an empty text is taken from the content", () => {
  const content = [
    { type: "text", text: "one" },
    { type: "tool_use", name: "search", input: {} },
    { type: "text", text: "two" },
  ];
  assert.deepEqual(messages({ sender: "assistant", text: "", content }), [
    { sender: "assistant", text: "one\n\n[tool use]\n\ntwo", time: null, parts: content },
  ]);
});

test("attachments are named in the text and kept", () => {
  const attachments = [{ file_name: "notes.txt", extracted_content: "long" }];
  const files = [{ file_name: "" }];
  assert.deepEqual(messages({ sender: "human", text: "See", attachments, files }), [
    { sender: "human", text: "See\n[attachment: notes.txt]\n[attachment]", time: null, attachments, files },
  ]);
});

test("a message without anything in it is skipped", () => {
  assert.deepEqual(messages({ sender: "human", text: "", content: [], attachments: [] }), []);
});

test("times keep their microseconds", () => {
  assert.equal(secondsOf("2024-05-01T12:34:56.789012Z"), 1714566896.789012);
  assert.equal(secondsOf("2024-05-01T14:34:56.789012+02:00"), 1714566896.789012);
  assert.equal(secondsOf("2024-05-01T12:34:56Z"), 1714566896);
  assert.equal(secondsOf("1969-12-31T23:59:58.5Z"), -1.5);
  assert.equal(secondsOf("yesterday"), undefined);
  assert.equal(secondsOf("2024-13-01T12:34:56Z"), undefined);
});

const FAULTS: [name: string, items: unknown[], message: string][] = [
  ["no uuid", [{ chat_messages: [] }], 'Conversation 1: expected text at "/uuid", found nothing'],
  ["empty uuid", [{ uuid: "" }], 'Conversation 1: expected text at "/uuid", found empty text'],
  [
    "no messages",
    [conversation([], { chat_messages: {} })],
    'Conversation 1 (id "u1"): expected a list at "/chat_messages", found an object',
  ],
  [
    "no time",
    [conversation([], { created_at: "soon" })],
    'Conversation 1 (id "u1"): expected an ISO 8601 time at "/created_at", found text',
  ],
  [
    "sender",
    [conversation([{ sender: "secret" }])],
    'Conversation 1 (id "u1"): expected "human" or "assistant" at "/chat_messages/0/sender", found text',
  ],
  [
    "text",
    [conversation([{ sender: "human", text: 7 }])],
    'Conversation 1 (id "u1"): expected text at "/chat_messages/0/text", found a number',
  ],
];

for (const [name, items, message] of FAULTS) {
  test(`fault: ${name}`, () => {
    assert.throws(() => [...claude(items)], { name: "ImportFault", message });
  });
}
