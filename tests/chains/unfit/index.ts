import type { Chain } from "exuvia";
import compiled from "./chain.json" with { type: "json" };

/** The reference chain up to version 4, and a last step that cannot take one of the demo's records. */
export const chain = compiled as Chain;
