import type { Chain } from "exuvia";
import { chain as whole } from "./index.js";

/** What version 1.0.0 of the extension shipped with: the baseline, before there was anything to migrate. */
export const chain: Chain = { ...whole, line: whole.line.slice(0, 1), stages: whole.stages.slice(0, 1) };
