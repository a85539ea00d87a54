import type { Aside } from "exuvia";
import { exuvia } from "../data.js";
import { element, part } from "../view/element.js";
import { counted, moment, size } from "../view/measure.js";
import { collectionName } from "../view/words.js";
import { confirmed } from "./dialog.js";
import { download } from "./export.js";
import { messageOf } from "./message.js";

/** How many keys of a row are named. */
const NAMED = 3;

/** What is told of together, and forgotten together. */
interface Row {
  asides: Aside[];
  title: string;
  meaning: string;
  /** What is asked before it is forgotten; absent where it stays. */
  loss?: string;
}

const card = part("aside-card", HTMLElement);
const save = part("aside-save", HTMLButtonElement);
const said = part("aside-said", HTMLElement);

/** Makes the button work that saves what is set aside. */
export function offerAsideFile(): void {
  save.addEventListener("click", () => void saveFile());
}

/** Lists what is set aside, or says why it cannot; `forget` is asked for some of it after the person has agreed. */
export function showAside(asides: readonly Aside[] | string, forget: (ids: string[]) => void): void {
  const list = part("aside", HTMLElement);
  card.hidden = asides.length === 0;
  save.disabled = typeof asides === "string";
  said.textContent = "";
  if (typeof asides === "string")
    list.replaceChildren(element("li", { class: "none" }, `It cannot be read now: ${asides}`));
  else list.replaceChildren(...rows(asides).map((row) => shown(row, forget)));
}

function rows(asides: readonly Aside[]): Row[] {
  const groups = new Map<string, Aside[]>();
  for (const aside of asides) {
    const group = `${aside.kind}:${aside.run ?? aside.collection ?? ""}`;
    groups.set(group, [...(groups.get(group) ?? []), aside]);
  }
  return [...groups.values()].flatMap((group) => (group[0] ? [described(group[0], group)] : []));
}

function described({ kind, at, collection }: Aside, asides: Aside[]): Row {
  const [it, comes, unless] = asides.length === 1 ? ["it", "It comes", "it is"] : ["them", "They come", "they are"];
  switch (kind) {
    case "stray":
      return {
        asides,
        title: `${counted(asides.length, "value")} from outside`,
        meaning: `Something else wrote ${it} while your data was moving${at === undefined ? "" : `, ${moment(at)}`}.`,
        loss: "What was written then is gone for good. Your data stays as it is.",
      };
    case "record":
      return {
        asides,
        title: `${counted(asides.length, "record")} of ${collectionName(collection ?? "")}`,
        meaning: `This version has no place for ${it}. ${comes} back with one that has.`,
      };
    case "unreadable":
      return {
        asides,
        title: `${counted(asides.length, "value")} that cannot be read`,
        meaning: `The browser's storage is damaged there. Nothing moves before that is mended, or ${unless} forgotten.`,
        loss:
          "What the browser cannot read now it may be able to read after a restart: try that first. " +
          "Forgotten, it is gone for good, but for what a snapshot holds of it.",
      };
  }
}

function shown({ asides, title, meaning, loss }: Row, forget: (ids: string[]) => void): HTMLElement {
  const names = asides.slice(0, NAMED).map(({ key }) => element("code", { dir: "auto" }, key));
  const more = asides.length > NAMED ? ` and ${counted(asides.length - NAMED, "more", "more")}` : "";
  const named = names.flatMap((name, index) => (index === 0 ? [name] : [", ", name]));
  const words = element(
    "div",
    { class: "row-words" },
    element("strong", {}, title),
    element("span", {}, meaning),
    element("span", { class: "keys" }, ...named, more),
  );
  const row = element("li", { "data-testid": "aside-row", "data-kind": asides[0]?.kind ?? "" }, words);
  if (loss !== undefined) row.append(forgetting(title, loss, () => forget(asides.map(({ id }) => id))));
  return row;
}

function forgetting(title: string, loss: string, forget: () => void): HTMLElement {
  const button = element("button", { type: "button", "data-testid": "forget" }, "Forget");
  button.setAttribute("aria-label", `Forget ${title}`);
  button.addEventListener("click", () => {
    const question = { title: `Forget ${title}?`, body: [loss], confirm: "Forget for good" };
    void confirmed(question).then((yes) => yes && forget());
  });
  return button;
}

async function saveFile(): Promise<void> {
  save.disabled = true;
  try {
    const file = await exuvia.exportAside();
    const name = `exuvia-companion-aside-${new Date().toISOString().slice(0, 10)}.jsonl`;
    download(file, name);
    said.dataset["tone"] = "calm";
    said.textContent = `${name}, ${size(file.size)}`;
  } catch (error) {
    said.dataset["tone"] = "trouble";
    said.textContent = messageOf(error);
  } finally {
    save.disabled = false;
  }
}
