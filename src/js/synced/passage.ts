import { ExuviaError } from "../problem.js";
import { same } from "./json.js";
import type { Form } from "./form.js";
import type { Place } from "./place.js";
import type { Translator } from "./types.js";

/** The way of single records between this build's version and that at which they stand. */
export class Passage {
  readonly #translator: Translator;
  readonly #tip: number;

  constructor(translator: Translator, tip: number) {
    this.#translator = translator;
    this.#tip = tip;
  }

  /** The record at this build's version. */
  async up<Stands extends Form>(place: Place, form: Stands): Promise<Stands> {
    return form.version === this.#tip ? form : this.move(place, form, this.#tip);
  }

  /** A record that the extension writes, at the version at which it will stand, with what the one before it has left
   * behind. Checked to fit that version, and to come up again as it was written. */
  async down(place: Place, written: Required<Form>, version: number): Promise<Required<Form>> {
    const form = await this.move(place, written, version);
    const again = await this.up(place, form);
    if (same(again.record, written.record)) return form;
    const expected = `expected a record that comes back from version ${version} as it was, found one that does not`;
    const message = `${expected}; it can be written once every device has been updated`;
    throw new ExuviaError({ kind: "lossy", message, collection: place.collection.name, record: place.key });
  }

  /** The record at another version. */
  async move<Stands extends Form>(
    { collection: { name }, key }: Place,
    form: Stands,
    version: number,
  ): Promise<Stands> {
    const context = { key, ...(form.at !== undefined && { now: form.at * 1_000 }) };
    try {
      const moved = await this.#translator.translate(name, form.record, form.version, version, form.residue, context);
      return { ...form, ...moved, version };
    } catch (error) {
      throw error instanceof ExuviaError ? new ExuviaError({ ...error.problem, record: key }) : error;
    }
  }
}
