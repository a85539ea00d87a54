import type { Chain } from "exuvia";
import compiled from "./chain.json" with { type: "json" };

/** The whole line, from version 1 to 5. */
export const chain = compiled as Chain;
