import type { JsonObject } from "../../json.js";

export function byHand(conversation: JsonObject): JsonObject;
