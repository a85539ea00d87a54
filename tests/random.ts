/** A small seeded generator (sfc32): the same seed gives the same data on every machine, so that a failure can be
 * had again. Never use Math.random or the clock in generated data. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = 0x9e3779b9 | 0;
    this.#c = ~seed;
    // The first outputs still resemble the seed.
    for (let i = 0; i < 16; i++) this.#bits();
  }

  #bits(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** An integer from 0 up to, not including, `limit`. */
  below(limit: number): number {
    return Math.floor((this.#bits() / 2 ** 32) * limit);
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  chance(probability: number): boolean {
    return this.#bits() < probability * 2 ** 32;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("expected something to pick from, found an empty list");
    return item;
  }

  hex(digits: number): string {
    let text = "";
    while (text.length < digits) text += this.#bits().toString(16).padStart(8, "0");
    return text.slice(0, digits);
  }

  /** A UUID of version 4. */
  uuid(): string {
    const variant = "89ab".charAt(this.below(4));
    return `${this.hex(8)}-${this.hex(4)}-4${this.hex(3)}-${variant}${this.hex(3)}-${this.hex(12)}`;
  }
}
