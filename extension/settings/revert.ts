import { chain } from "#chain";
import type { Status } from "exuvia";
import { element, part } from "../view/element.js";
import { confirmed } from "./dialog.js";

const card = part("revert-card", HTMLElement);
const versions = part("revert-version", HTMLSelectElement);
const button = part("revert", HTMLButtonElement);

/** Offers the versions before the one that this extension reads; `revert` is asked for one after the person has agreed. */
export function offerRevert(revert: (version: number) => void): void {
  const older = chain.line.slice(0, -1).map(({ id }, index) => {
    return element("option", { value: String(index + 1) }, `Version ${index + 1}: ${id}`);
  });
  versions.append(...older.reverse());
  button.addEventListener("click", () => {
    const version = Number(versions.value);
    void confirmed(question(version)).then((yes) => yes && revert(version));
  });
}

/** Going back needs data that is in order, and a version to go back to. */
export function allowRevert({ state }: Status): void {
  card.hidden = versions.options.length === 0 || (state !== "current" && state !== "held");
}

function question(version: number): Parameters<typeof confirmed>[0] {
  return {
    title: `Go back to version ${version}?`,
    body: [
      "Everything you have goes back to the form of that version, with what you wrote since. " +
        "What that form has no place for is kept, and comes back when you move up again.",
      "This extension reads its own version only. Do this before you install an older one.",
      "Before that, what you have now is kept in a snapshot.",
    ],
    confirm: `Go back to version ${version}`,
  };
}
