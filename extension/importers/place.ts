/** Where a text stops being JSON. */
export interface BadPlace {
  /** From 1, as editors count. */
  line: number;
  column: number;
  /** Which item of the outermost list it is in, from 1; 0 before the first. */
  item: number;
  /** Whether the text ended where more was needed. */
  ended: boolean;
}

const SPACE = /[\t\n\r ]*/y;
const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Finds where `text` stops being JSON; undefined if it does not. `JSON.parse` tells it only at times, and then with
 * words of the text, which belong to the user and in no message. */
export function badPlace(text: string): BadPlace | undefined {
  const scan = new Scan(text);
  if (scan.run()) return undefined;
  const before = text.slice(0, scan.at);
  const line = before.split("\n").length;
  const column = scan.at - before.lastIndexOf("\n");
  return { line, column, item: scan.item, ended: scan.at >= text.length };
}

class Scan {
  at = 0;
  item = 0;
  readonly #text: string;
  /** The brackets that are open, each by the character that closes it. */
  readonly #open: string[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  /** Whether the whole text is one JSON value. Written as a loop: nesting in a file may be deeper than the stack. */
  run(): boolean {
    for (;;) {
      // A value, or the start of one.
      if (this.#open.length === 1 && this.#open[0] === "]") this.item += 1;
      this.#skip(SPACE);
      const first = this.#text.charAt(this.at);
      if (first === "[" || first === "{") {
        this.at += 1;
        this.#open.push(first === "[" ? "]" : "}");
        if (!this.#closes()) {
          if (first === "{" && !this.#key()) return false;
          continue;
        }
      } else if (!(first === '"' ? this.#string() : this.#skip(LITERAL))) return false;

      // What follows a value: the ends of what it is in, then a comma.
      while (this.#closes());
      this.#skip(SPACE);
      const inner = this.#open.at(-1);
      if (inner === undefined) return this.at === this.#text.length;
      if (!this.#take(",") || (inner === "}" && !this.#key())) return false;
    }
  }

  #closes(): boolean {
    this.#skip(SPACE);
    const inner = this.#open.at(-1);
    if (inner === undefined || !this.#take(inner)) return false;
    this.#open.pop();
    return true;
  }

  #key(): boolean {
    this.#skip(SPACE);
    if (this.#text.charAt(this.at) !== '"' || !this.#string()) return false;
    this.#skip(SPACE);
    return this.#take(":");
  }

  #string(): boolean {
    for (this.at += 1; this.at < this.#text.length;) {
      const code = this.#text.charCodeAt(this.at);
      if (code === 0x22) {
        this.at += 1;
        return true;
      }
      if (code < 0x20) return false;
      if (code !== 0x5c) this.at += 1;
      else if (!this.#skip(ESCAPE)) return false;
    }
    return false;
  }

  #take(character: string): boolean {
    if (this.#text.charAt(this.at) !== character) return false;
    this.at += 1;
    return true;
  }

  /** Steps over what `pattern` matches here; whether that was anything. */
  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    const length = pattern.exec(this.#text)?.[0].length ?? 0;
    this.at += length;
    return length > 0;
  }
}
