import { chain } from "#chain";
import { ExuviaError, type Mode, type Preview, type Status } from "exuvia";
import { exuvia } from "../data.js";
import { type Incoming, incoming } from "../importers/incoming.js";
import { element, part } from "../view/element.js";
import { counted, number, size } from "../view/measure.js";
import { collectionName, MODES, sayingOf } from "../view/words.js";
import { messageOf } from "./message.js";
import { problemParts } from "./state.js";

const KINDS: Record<Incoming["kind"], string> = {
  exuvia: "A file exported here",
  chatgpt: "ChatGPT’s export",
  claude: "Claude’s export",
};

/** Carries out a run and shows it; resolves when the page shows its end. */
export type CarryOut = (run: () => Promise<Status>) => Promise<Status>;

const place = part("import", HTMLElement);
const input = element("input", {
  type: "file",
  id: "import-file",
  "data-testid": "import-file",
  accept: ".json,.jsonl",
});
const zone = element(
  "label",
  { class: "drop", for: "import-file" },
  input,
  element("strong", {}, "Choose a file"),
  element("span", {}, "or drop it here"),
);
const outcome = element("div", { class: "outcome", role: "status" });
const step = element("div", { class: "import-step" });

/** Makes the import work, by the file dialog and by drag and drop. */
export function offerImport(carryOut: CarryOut): void {
  place.append(zone, outcome, step);
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    // Emptied, so that choosing the same file again is a change.
    if (file) void take(file, carryOut).finally(() => (input.value = ""));
  });
  // A file dropped beside the zone would otherwise replace the page.
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => event.preventDefault());
  for (const name of ["dragenter", "dragover"]) zone.addEventListener(name, () => zone.classList.add("over"));
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    const file = event.dataTransfer?.files[0];
    if (file && !input.disabled) void take(file, carryOut);
  });
}

/** An import needs data that is in order. */
export function allowImport(allowed: boolean): void {
  input.disabled = !allowed;
  zone.classList.toggle("disabled", !allowed);
}

/** Counts the files that were chosen: of two in a row, the first may be read later. */
let turn = 0;

async function take(file: File, carryOut: CarryOut): Promise<void> {
  turn += 1;
  const mine = turn;
  step.replaceChildren();
  say("busy", `Reading ${file.name}, ${size(file.size)}…`);
  try {
    // Reading a large file holds up the page; first it may show that it has begun.
    await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
    const found = await incoming(file, chain);
    if (turn === mine) await choose(found, carryOut);
  } catch (error) {
    if (turn === mine) fail(error);
  }
}

/** Shows what the import would do, for the mode that is chosen. */
async function choose(found: Incoming, carryOut: CarryOut): Promise<void> {
  const table = element("div", { "data-testid": "import-preview", class: "preview" });
  const confirm = element("button", { type: "button", class: "primary", "data-testid": "import-confirm" });
  const cancel = element("button", { type: "button", "data-testid": "import-cancel" }, "Cancel");
  let chosen: Mode = "keep";

  const select = async (mode: Mode): Promise<void> => {
    chosen = mode;
    confirm.disabled = true;
    confirm.textContent = mode === "replace" ? "Replace everything" : "Import";
    const preview = await exuvia.preview(found.file, mode);
    // Another may have been chosen while this one was counted.
    if (chosen !== mode) return;
    showPreview(table, preview);
    confirm.disabled = preview.problem !== undefined;
  };

  confirm.addEventListener("click", () => void finish(found, chosen, carryOut));
  cancel.addEventListener("click", close);
  await select(chosen);
  say("calm", "");
  step.replaceChildren(
    element("p", { class: "found" }, element("strong", {}, KINDS[found.kind]), ` ${found.name}`),
    modes((mode) => void select(mode).catch(fail)),
    table,
    element("div", { class: "actions" }, cancel, confirm),
  );
}

function modes(select: (mode: Mode) => void): HTMLElement {
  const options = (Object.keys(MODES) as Mode[]).map((mode) => {
    const radio = element("input", { type: "radio", name: "mode", value: mode, "data-testid": `mode-${mode}` });
    radio.checked = mode === "keep";
    radio.addEventListener("change", () => select(mode));
    const { label, hint } = MODES[mode];
    return element("label", {}, radio, element("span", {}, label), element("small", {}, hint));
  });
  return element("fieldset", { class: "modes" }, element("legend", { class: "hidden" }, "How they meet"), ...options);
}

function showPreview(table: HTMLElement, preview: Preview): void {
  const { collections, version, target, bytes, problem } = preview;
  if (problem) {
    table.replaceChildren(
      element("div", { class: "problem", "data-testid": "import-error" }, ...problemParts(problem)),
    );
    return;
  }
  const columns = ["add", "replace", "same", "keep", "remove"] as const;
  const used = columns.filter((column) => column !== "remove" || Object.values(collections).some((c) => c.remove > 0));
  const head = element("tr", {}, element("td"), ...used.map((column) => element("th", { scope: "col" }, column)));
  const rows = Object.entries(collections).map(([name, counts]) =>
    element(
      "tr",
      { "data-collection": name },
      element("th", { scope: "row" }, collectionName(name)),
      ...used.map((column) => cell(column, counts[column])),
    ),
  );
  const way = version === target ? "" : ` It is moved from version ${version} to ${target} on its way in.`;
  table.replaceChildren(
    element("table", { class: "table" }, element("thead", {}, head), element("tbody", {}, ...rows)),
    element("p", { class: "lead" }, `${size(bytes)}.${way} A snapshot is taken first.`),
  );
}

function cell(column: string, count: number): HTMLElement {
  const attributes = { "data-column": column, ...(count === 0 ? { class: "zero" } : {}) };
  return element("td", attributes, number(count));
}

async function finish(found: Incoming, mode: Mode, carryOut: CarryOut): Promise<void> {
  close();
  say("busy", `Importing ${found.name}…`);
  try {
    const status = await carryOut(() => exuvia.import(found.file, mode));
    const { state, lastRun } = status;
    if (state !== "current" || lastRun?.cause !== "import" || lastRun.outcome !== "committed") {
      failWith([element("p", {}, `The file is not in. ${sayingOf(status).meaning}`)]);
      return;
    }
    const moved = Object.values(lastRun.records).reduce((sum, count) => sum + count, 0);
    say("calm", `${found.name} is in: ${counted(moved, "record")}.`);
  } catch (error) {
    fail(error);
  }
}

function close(): void {
  step.replaceChildren();
  say("calm", "");
}

function say(tone: "calm" | "busy", words: string): void {
  outcome.dataset["tone"] = tone;
  outcome.replaceChildren(words);
}

function fail(error: unknown): void {
  const problem = error instanceof ExuviaError ? error.problem : undefined;
  const words = problem ? problemParts(problem) : [element("p", {}, messageOf(error))];
  // All but one kind of failure come before the first write, or after the old data is back.
  failWith(problem?.kind === "stuck" ? words : [...words, element("p", { class: "soft" }, "Your data is as it was.")]);
}

function failWith(words: HTMLElement[]): void {
  step.replaceChildren();
  outcome.dataset["tone"] = "trouble";
  outcome.replaceChildren(element("div", { class: "problem", "data-testid": "import-error" }, ...words));
}
