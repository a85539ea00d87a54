import { exuvia } from "../data.js";
import { element, part } from "../view/element.js";
import { size } from "../view/measure.js";
import { messageOf } from "./message.js";

const button = part("export", HTMLButtonElement);
const said = part("export-said", HTMLElement);

/** Makes the export button work. */
export function offerExport(): void {
  button.addEventListener("click", () => void save());
}

async function save(): Promise<void> {
  button.disabled = true;
  said.textContent = "Writing the file…";
  said.dataset["tone"] = "calm";
  try {
    const file = await exuvia.export();
    const name = `exuvia-companion-${new Date().toISOString().slice(0, 10)}.jsonl`;
    download(file, name);
    said.textContent = `${name}, ${size(file.size)}`;
  } catch (error) {
    said.dataset["tone"] = "trouble";
    said.textContent = messageOf(error);
  } finally {
    button.disabled = false;
  }
}

/** Gives a file to the person. */
export function download(file: Blob, name: string): void {
  const href = URL.createObjectURL(file);
  element("a", { href, download: name }).click();
  // The browser needs the address until it has begun to read.
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
