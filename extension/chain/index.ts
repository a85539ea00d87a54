import type { Chain, Lock, Migration } from "exuvia";
import baseline from "./0001-baseline.json" with { type: "json" };
import aiSettings from "./0002-ai-settings.json" with { type: "json" };
import conversationKeys from "./0003-conversation-keys.json" with { type: "json" };
import distillationNotes from "./0004-distillation-notes.json" with { type: "json" };
import privacy from "./0005-privacy.json" with { type: "json" };
import lock from "./chain.lock.json" with { type: "json" };

/** The whole line, from version 1 to 5. */
export const chain: Chain = {
  lock: lock as Lock,
  migrations: [baseline, aiSettings, conversationKeys, distillationNotes, privacy] as Migration[],
};
