export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [member: string]: Json;
}

/** The whole content of a storage area, a value a key. */
export type Storage = JsonObject;

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export const CONTROL_KEY = "exuvia";

/** True where Exuvia keeps what it says about itself; such keys are no data of the user. */
export function isControlKey(key: string): boolean {
  return key === CONTROL_KEY || key.startsWith(`${CONTROL_KEY}:`);
}
