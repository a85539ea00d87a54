import { model } from "#model";
import type { Conversation, Counts, Distillation } from "../model/view.js";
import type { Query } from "./query.js";

/** A conversation as the list shows and searches it. */
export interface Entry {
  id: string;
  title: string;
  time: number | undefined;
  messages: number;
  /** All that is said in it. */
  text: string;
}

/** What is stored, held for searching. The text is held, the records are not: one that is opened is read again. */
export class Library {
  counts: Counts = { conversations: 0, distillations: 0 };
  distillations: Distillation[] = [];
  readonly #entries = new Map<string, Entry>();
  #newestFirst: Entry[] = [];

  /** Reads everything, and calls `more` whenever there is more to show. Stops when `stopped` says so. */
  async load(more: () => void, stopped: () => boolean): Promise<void> {
    this.counts = await model.counts();
    this.distillations = (await model.distillations()).sort(byTime(({ created }) => created));
    more();
    for await (const batch of model.conversations()) {
      if (stopped()) return;
      for (const conversation of batch) this.#entries.set(conversation.id, entryOf(conversation));
      this.#newestFirst = [...this.#entries.values()].sort(byTime(({ time }) => time));
      more();
    }
  }

  get loaded(): number {
    return this.#entries.size;
  }

  titleOf(id: string): string | undefined {
    return this.#entries.get(id)?.title;
  }

  conversationsFor(query: Query): readonly Entry[] {
    if (query.isEmpty) return this.#newestFirst;
    return this.#newestFirst.filter(({ title, text }) => query.matches(`${title}\n${text}`));
  }

  distillationsFor(query: Query): readonly Distillation[] {
    if (query.isEmpty) return this.distillations;
    return this.distillations.filter(({ text, tags }) => query.matches([text, ...tags].join("\n")));
  }
}

function entryOf({ id, title, created, updated, messages }: Conversation): Entry {
  const text = messages.map((message) => message.text).join("\n");
  return { id, title, time: updated ?? created, messages: messages.length, text };
}

/** Newest first; what has no time comes last. */
function byTime<Item>(timeOf: (item: Item) => number | undefined): (a: Item, b: Item) => number {
  return (a, b) => (timeOf(b) ?? -Infinity) - (timeOf(a) ?? -Infinity) || 0;
}
