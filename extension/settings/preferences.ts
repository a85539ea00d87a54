import { model } from "#model";
import { exuvia } from "../data.js";
import type { Field, Value } from "../model/fields.js";
import { element, part } from "../view/element.js";
import { wear } from "../view/appearance.js";
import { messageOf } from "./message.js";

const form = part("preferences", HTMLFormElement);
const said = element("p", { class: "said", role: "status" });
const save = element("button", { type: "submit", "data-testid": "preferences-save" }, "Save");

/** Makes the form work: it is drawn from the fields of the data's version. */
export function offerPreferences(): void {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void saveAll();
  });
  form.addEventListener("input", () => (said.textContent = ""));
}

/** Fills in the form; without `readable` data there is nothing to fill in, and nothing to save. */
export async function showPreferences(readable: boolean): Promise<void> {
  if (!readable) {
    form.replaceChildren(element("p", { class: "none" }, "They can be changed once your data is in order."));
    return;
  }
  const values = await model.preferences();
  wear(values["theme"]);
  form.replaceChildren(
    ...model.fields.map((field) => row(field, values[field.name])),
    element("div", { class: "actions" }, said, save),
  );
}

async function saveAll(): Promise<void> {
  save.disabled = true;
  try {
    const values = entered();
    await exuvia.write(() => model.savePreferences(values));
    wear(values["theme"]);
    said.dataset["tone"] = "calm";
    said.textContent = "Saved.";
  } catch (error) {
    said.dataset["tone"] = "trouble";
    said.textContent = messageOf(error);
  } finally {
    save.disabled = false;
  }
}

function entered(): Record<string, Value> {
  const values: Record<string, Value> = {};
  const data = new FormData(form);
  for (const { name, input } of model.fields) {
    const value = data.get(name);
    if (input.kind === "switch") values[name] = value !== null;
    else if (typeof value === "string") values[name] = input.kind === "number" ? Number(value) : value;
  }
  return values;
}

function row(field: Field, value: Value | undefined): HTMLElement {
  const { name, label, hint, input } = field;
  const control = controlOf(field, value);
  control.id = `preference-${name}`;
  control.setAttribute("name", name);
  control.setAttribute("data-testid", `preference-${name}`);
  const words = element("label", { for: control.id }, element("span", {}, label));
  if (hint) words.append(element("small", {}, hint));
  const unit = input.kind === "number" ? element("span", { class: "unit" }, input.unit) : undefined;
  return element("div", { class: "field" }, words, element("div", { class: "control" }, control, unit));
}

function controlOf({ input }: Field, value: Value | undefined): HTMLElement {
  switch (input.kind) {
    case "switch": {
      const box = element("input", { type: "checkbox", role: "switch", class: "switch" });
      box.checked = value === true;
      return box;
    }
    case "number":
      return element("input", {
        type: "number",
        min: String(input.min),
        max: String(input.max),
        required: "",
        value: String(value ?? ""),
      });
    case "text":
      return element("input", { type: "text", dir: "auto", value: String(value ?? "") });
    case "choice": {
      const options = input.choices.map((choice) => element("option", { value: choice.value }, choice.label));
      const select = element("select", {}, ...options);
      select.value = String(value ?? "");
      return select;
    }
  }
}
