import type { Snapshot, Status } from "exuvia";
import { element, part } from "../view/element.js";
import { counted, moment, size } from "../view/measure.js";
import { CAUSES } from "../view/words.js";
import { confirmed } from "./dialog.js";

/** Lists the snapshots, or says why it cannot; `restore` is asked for one after the person has agreed. */
export function showSnapshots(
  snapshots: readonly Snapshot[] | string,
  status: Status,
  restore: (id: string) => void,
): void {
  const list = part("snapshots", HTMLElement);
  if (typeof snapshots === "string") list.replaceChildren(none(`They cannot be read now: ${snapshots}`));
  else if (snapshots.length === 0) list.replaceChildren(none("None yet. The first is taken before anything changes."));
  else list.replaceChildren(...snapshots.map((snapshot) => row(snapshot, status, restore)));
}

const none = (words: string): HTMLElement => element("li", { class: "none" }, words);

function row(snapshot: Snapshot, status: Status, restore: (id: string) => void): HTMLElement {
  const button = element("button", { type: "button", "data-testid": "restore" }, "Restore");
  button.setAttribute("aria-label", `Restore the snapshot of ${moment(snapshot.createdAt)}`);
  button.addEventListener("click", () => {
    void confirmed(question(snapshot, status)).then((yes) => yes && restore(snapshot.id));
  });
  const { version, records, bytes, storedBytes, cause } = snapshot;
  return element(
    "li",
    { "data-testid": "snapshot", "data-snapshot": snapshot.id },
    element("span", { class: "badge", title: `Version ${version}` }, String(version)),
    element(
      "div",
      { class: "row-words" },
      element("strong", {}, moment(snapshot.createdAt)),
      element("span", {}, `${counted(records, "record")}, ${size(bytes)}, stored as ${size(storedBytes)}`),
      element("span", {}, `Version ${version}, before ${CAUSES[cause]}`),
    ),
    button,
  );
}

function question({ version, createdAt, records }: Snapshot, { target }: Status): Parameters<typeof confirmed>[0] {
  const up = `The snapshot has version ${version}. Its data is then moved up to version ${target}, which this extension reads.`;
  return {
    title: `Go back to ${moment(createdAt)}?`,
    body: [
      `Your data becomes exactly what the snapshot holds: ${counted(records, "record")}. ` +
        "What was added or changed since then is not in it and goes.",
      "Before that, what you have now is kept in a snapshot of its own, so that you can come back.",
      ...(version < target ? [up] : []),
    ],
    confirm: "Restore the snapshot",
  };
}
