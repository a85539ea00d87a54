import type { Conversation } from "../job.js";

/** Where records are kept at version 1, and how they are read whatever their version. */
export interface Store {
  add(records: Conversation[]): Promise<void>;
  /** After the last of them. */
  seal(): Promise<void>;
  /** In groups: all of them may be more than fits. */
  read(): AsyncIterable<Conversation[]>;
}
