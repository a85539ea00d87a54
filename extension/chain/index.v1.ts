import type { Chain, Lock, Migration } from "exuvia";
import baseline from "./0001-baseline.json" with { type: "json" };
import lock from "./chain.lock.json" with { type: "json" };

/** What version 1.0.0 of the extension shipped with: the baseline, before there was anything to migrate. */
export const chain: Chain = {
  lock: { ...lock, line: lock.line.slice(0, 1) } as Lock,
  migrations: [baseline as Migration],
};
