import type { Chain, Lock, Migration } from "exuvia";
import baseline from "./0001-baseline.json" with { type: "json" };
import aiSettings from "./0002-ai-settings.json" with { type: "json" };
import conversationKeys from "./0003-conversation-keys.json" with { type: "json" };
import distillationNotes from "./0004-distillation-notes.json" with { type: "json" };
import distillationTimes from "./0005-distillation-times.json" with { type: "json" };
import lock from "./chain.lock.json" with { type: "json" };

/** The reference chain up to version 4, and a last step that cannot take one of the demo's records. */
export const chain: Chain = {
  lock: lock as Lock,
  migrations: [baseline, aiSettings, conversationKeys, distillationNotes, distillationTimes] as Migration[],
};
