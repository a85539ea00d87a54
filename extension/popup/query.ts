/** What a person looks for: all the words, in any order, in any case. */
export class Query {
  readonly words: readonly string[];
  readonly #patterns: readonly RegExp[];
  readonly #any: RegExp | undefined;

  constructor(typed: string) {
    this.words = typed.split(/\s+/).filter((word) => word !== "");
    const sources = this.words.map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
    // Ignoring case in the pattern is several times faster than lower case of 40 MB, and leaves the text to be shown.
    this.#patterns = sources.map((source) => new RegExp(source, "iu"));
    this.#any = sources.length > 0 ? new RegExp(sources.join("|"), "giu") : undefined;
  }

  get isEmpty(): boolean {
    return this.words.length === 0;
  }

  matches(text: string): boolean {
    return this.#patterns.every((pattern) => pattern.test(text));
  }

  /** The text around the first word found in it; undefined if none is. */
  excerpt(text: string, length = 120): string | undefined {
    const [pattern] = this.#patterns;
    const at = pattern ? text.search(pattern) : -1;
    if (at < 0) return undefined;
    const start = between(text, Math.max(0, at - Math.floor(length / 3)));
    const end = between(text, Math.min(text.length, start + length));
    return (start > 0 ? "…" : "") + text.slice(start, end) + (end < text.length ? "…" : "");
  }

  /** The text, with what was found in it marked. */
  marked(text: string): (string | HTMLElement)[] {
    if (!this.#any) return [text];
    const pieces: (string | HTMLElement)[] = [];
    let end = 0;
    for (const match of text.matchAll(this.#any)) {
      const mark = document.createElement("mark");
      mark.textContent = match[0];
      pieces.push(text.slice(end, match.index), mark);
      end = match.index + match[0].length;
    }
    pieces.push(text.slice(end));
    return pieces;
  }
}

/** The first words of a text, enough for a line. */
export const startOf = (text: string): string => text.slice(0, between(text, Math.min(text.length, 120)));

/** `at`, or one further where it would cut a character of two units in half. */
function between(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code < 0xe000 ? at + 1 : at;
}
