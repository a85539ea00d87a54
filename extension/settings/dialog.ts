import { element, part } from "../view/element.js";

export interface Question {
  title: string;
  /** What will happen, a paragraph each. */
  body: string[];
  confirm: string;
}

/** Asks before something that a person may not want. The answer that changes nothing has the focus. */
export async function confirmed({ title, body, confirm }: Question): Promise<boolean> {
  const dialog = part("dialog", HTMLDialogElement);
  part("dialog-title", HTMLElement).textContent = title;
  part("dialog-body", HTMLElement).replaceChildren(...body.map((text) => element("p", {}, text)));
  part("dialog-confirm", HTMLElement).textContent = confirm;
  // Closed by Escape it says nothing, and would else repeat its last answer.
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((closed) => dialog.addEventListener("close", closed, { once: true }));
  return dialog.returnValue === "confirm";
}
