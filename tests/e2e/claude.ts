import type { Storage } from "../json.js";

/** A file as Claude's export holds it. */
export const CLAUDE = [
  {
    uuid: "6f1d2f4e-0b1a-4c53-9c0e-2f7f5b1c9a01",
    name: "سفر 👩‍👩‍👧‍👦",
    created_at: "2024-02-29T23:59:59.123456Z",
    updated_at: "2024-03-01T00:00:01.5+00:00",
    account: { uuid: "3b6f6a52-6f0e-4a3e-8f5f-1a2b3c4d5e6f" },
    chat_messages: [
      {
        uuid: "6f1d2f4e-0b1a-4c53-9c0e-2f7f5b1c9a02",
        text: "Where to?",
        content: [{ type: "text", text: "Where to?" }],
        sender: "human",
        created_at: "2024-02-29T23:59:59.123456Z",
        attachments: [],
        files: [],
      },
      {
        uuid: "6f1d2f4e-0b1a-4c53-9c0e-2f7f5b1c9a03",
        text: "",
        content: [{ type: "text", text: "To __proto__." }],
        sender: "assistant",
        created_at: "2024-03-01T00:00:00Z",
        attachments: [],
        files: [],
      },
    ],
  },
  {
    uuid: "6f1d2f4e-0b1a-4c53-9c0e-2f7f5b1c9a04",
    name: "",
    created_at: "2023-10-11T17:00:00Z",
    updated_at: "2023-10-11T17:00:00Z",
    account: { uuid: "3b6f6a52-6f0e-4a3e-8f5f-1a2b3c4d5e6f" },
    chat_messages: [],
  },
];

/** The same in version 5. */
export const CLAUDE_AT_FIVE: Storage = {
  "conversation:6f1d2f4e-0b1a-4c53-9c0e-2f7f5b1c9a01": {
    id: "6f1d2f4e-0b1a-4c53-9c0e-2f7f5b1c9a01",
    title: "سفر 👩‍👩‍👧‍👦",
    create_time: "2024-02-29T23:59:59.123456Z",
    update_time: "2024-03-01T00:00:01.5Z",
    messages: [
      { role: "user", text: "Where to?", time: "2024-02-29T23:59:59.123456Z" },
      { role: "assistant", text: "To __proto__.", time: "2024-03-01T00:00:00Z" },
    ],
  },
  "conversation:6f1d2f4e-0b1a-4c53-9c0e-2f7f5b1c9a04": {
    id: "6f1d2f4e-0b1a-4c53-9c0e-2f7f5b1c9a04",
    title: "",
    create_time: "2023-10-11T17:00:00Z",
    update_time: "2023-10-11T17:00:00Z",
    messages: [],
  },
};
