import type { Field, Value } from "./fields.js";

/** What the pages show, whatever version the data has. Times are milliseconds since 1970, undefined where unknown. */
export interface Conversation {
  id: string;
  title: string;
  created: number | undefined;
  updated: number | undefined;
  messages: Message[];
  /** Messages of other branches, which the person edited away or had answered anew. */
  branches: Branch[];
}

export interface Message {
  role: "user" | "assistant" | "tool";
  text: string;
  time: number | undefined;
}

export interface Branch extends Message {
  /** How many messages of the conversation come before it. */
  after: number;
}

export interface Distillation {
  id: string;
  conversation: string;
  text: string;
  tags: string[];
  created: number | undefined;
}

export interface Counts {
  conversations: number;
  distillations: number;
}

/** How one version of the data is read and written. Read it while `open()` says `current`, or, as far as records go,
 * `refused`; write it only while it says `current`. */
export interface Model {
  /** Whether records can be read where the data could not be moved to this version. */
  readonly readsWhileRefused: boolean;
  counts(): Promise<Counts>;
  /** All conversations, in batches, so that a page can show the first while it waits for the rest. */
  conversations(): AsyncIterable<Conversation[]>;
  conversation(id: string): Promise<Conversation | undefined>;
  distillations(): Promise<Distillation[]>;

  /** What a person may set. */
  fields: readonly Field[];
  preferences(): Promise<Record<string, Value>>;
  /** Both writes belong inside `exuvia.write`. */
  savePreferences(values: Record<string, Value>): Promise<void>;
  /** Writes the default preferences where nothing at all is stored. */
  seed(): Promise<void>;
}
