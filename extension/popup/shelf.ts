import type { Distillation } from "../model/view.js";
import { element, part } from "../view/element.js";
import { counted, day, number } from "../view/measure.js";
import { type Entry, Library } from "./library.js";
import { Query, startOf } from "./query.js";
import { Rows } from "./rows.js";

type Tab = "conversations" | "distillations";

export type Open = (id: string, query: Query) => void;

const search = part("search", HTMLInputElement);
const list = part("list", HTMLElement);
const loading = part("loading", HTMLElement);
const tabs: Record<Tab, HTMLButtonElement> = {
  conversations: part("tab-conversations", HTMLButtonElement),
  distillations: part("tab-distillations", HTMLButtonElement),
};

/** The conversations and distillations, and the search over them. */
export class Shelf {
  readonly #open: Open;
  #library = new Library();
  #query = new Query("");
  #tab: Tab = "conversations";
  readonly #conversations = new Rows<Entry>(list, (entry) => this.#conversation(entry));
  readonly #distillations = new Rows<Distillation>(list, (item) => this.#distillation(item));

  constructor(open: Open) {
    this.#open = open;
    search.addEventListener("input", () => {
      this.#query = new Query(search.value);
      this.#show();
    });
    for (const tab of ["conversations", "distillations"] as const) {
      tabs[tab].addEventListener("click", () => {
        this.#tab = tab;
        this.#show();
      });
    }
  }

  /** Reads everything anew. A later call takes the place of one that is still reading. */
  async load(): Promise<void> {
    const library = new Library();
    this.#library = library;
    loading.hidden = false;
    await library.load(
      () => this.#grow(),
      () => this.#library !== library,
    );
    if (this.#library !== library) return;
    loading.hidden = true;
    // Only now is it known that there is nothing.
    this.#grow();
  }

  #grow(): void {
    const { counts, loaded } = this.#library;
    part("count", HTMLElement).textContent =
      `${counted(counts.conversations, "conversation")} · ${counted(counts.distillations, "distillation")}`;
    loading.style.setProperty("--part", String(counts.conversations > 0 ? loaded / counts.conversations : 1));
    // Who has scrolled or gone into the list reads there: the rest is added without moving it away.
    if (list.scrollTop === 0 && !list.contains(document.activeElement)) this.#show();
    else this.#showFound();
  }

  #show(): void {
    const { conversations, distillations } = this.#showFound();
    if (this.#tab === "conversations") this.#conversations.show(conversations);
    else this.#distillations.show(distillations);
    const none = (this.#tab === "conversations" ? conversations : distillations).length === 0;
    if (none && loading.hidden) list.append(element("li", { class: "none" }, this.#nothing()));
  }

  #showFound(): { conversations: readonly Entry[]; distillations: readonly Distillation[] } {
    const conversations = this.#library.conversationsFor(this.#query);
    const distillations = this.#library.distillationsFor(this.#query);
    this.#label("conversations", "Conversations", conversations.length);
    this.#label("distillations", "Distillations", distillations.length);
    part("found", HTMLElement).textContent = this.#query.isEmpty
      ? ""
      : `${counted(conversations.length, "conversation")} and ${counted(distillations.length, "distillation")} found`;
    return { conversations, distillations };
  }

  #label(tab: Tab, name: string, count: number): void {
    tabs[tab].setAttribute("aria-pressed", String(this.#tab === tab));
    const found = this.#query.isEmpty ? undefined : element("span", { class: "pill" }, number(count));
    tabs[tab].replaceChildren(name, ...(found ? [found] : []));
  }

  #nothing(): string {
    if (!this.#query.isEmpty) return "Nothing holds all of these words.";
    return this.#tab === "conversations"
      ? "No conversations yet. Bring in a file from the settings."
      : "No distillations yet.";
  }

  #conversation({ id, title, time, messages, text }: Entry): HTMLElement {
    const facts = [time === undefined ? "" : day(time), counted(messages, "message")].filter((fact) => fact !== "");
    const row = element(
      "button",
      { type: "button", class: "row" },
      titled(title, this.#query),
      this.#excerpt(text),
      element("span", { class: "facts" }, facts.join(" · ")),
    );
    row.addEventListener("click", () => this.#open(id, this.#query));
    return element("li", { "data-testid": "conversation", "data-id": id }, row);
  }

  /** The place that was found; else how the conversation begins. */
  #excerpt(text: string): HTMLElement | undefined {
    const found = this.#query.excerpt(text);
    if (found !== undefined) return element("span", { class: "excerpt", dir: "auto" }, ...this.#query.marked(found));
    return text === "" ? undefined : element("span", { class: "excerpt start", dir: "auto" }, startOf(text));
  }

  #distillation({ id, conversation, text, tags, created }: Distillation): HTMLElement {
    const from = this.#library.titleOf(conversation);
    const facts = [created === undefined ? "" : day(created), from ? `from “${from}”` : ""].filter((f) => f !== "");
    const row = element(
      from === undefined ? "div" : "button",
      { class: "row", ...(from === undefined ? {} : { type: "button" }) },
      element("span", { class: "note", dir: "auto" }, ...this.#query.marked(text)),
      element("span", { class: "tags" }, ...tags.map((tag) => element("span", { class: "tag", dir: "auto" }, tag))),
      element("span", { class: "facts" }, facts.join(" · ")),
    );
    if (from !== undefined) row.addEventListener("click", () => this.#open(conversation, this.#query));
    return element("li", { "data-testid": "distillation", "data-id": id }, row);
  }
}

export function titled(title: string, query: Query): HTMLElement {
  if (title.trim() === "") return element("span", { class: "title untitled" }, "Untitled");
  return element("span", { class: "title", dir: "auto" }, ...query.marked(title));
}
