import type { Report, Status } from "exuvia";
import { element, part } from "../view/element.js";
import { counted, duration, moment, number, size } from "../view/measure.js";
import { CAUSES, collectionName, OUTCOMES } from "../view/words.js";
import { problemParts } from "./state.js";

/** Shows what the last run did, and its problem unless that is shown above as the state's. */
export function showReport({ lastRun: report, problem }: Status): void {
  part("last-run", HTMLElement).hidden = !report;
  part("last-run-body", HTMLElement).replaceChildren(
    ...(report ? [...reportParts(report, problem === undefined)] : []),
  );
}

function* reportParts(report: Report, whole: boolean): Generator<HTMLElement> {
  yield way(report);
  yield element(
    "p",
    { class: "lead" },
    `${moment(report.startedAt)}, for ${CAUSES[report.cause]}. ${extent(report)} in ${duration(report.tookMs)}.`,
  );
  if (total(report) > 0) yield records(report);
  if (report.problem && whole) yield element("div", { class: "problem" }, ...problemParts(report.problem));
  if (report.notes.length > 0) {
    yield element("ul", { class: "notes" }, ...report.notes.map((note) => element("li", {}, note)));
  }
}

function way({ from, to, outcome }: Report): HTMLElement {
  const chip = element("span", { class: "chip", "data-outcome": outcome }, OUTCOMES[outcome]);
  const step = from === to ? `version ${to}` : `version ${from} → ${to}`;
  return element("p", { class: "way" }, element("strong", {}, step), chip);
}

function records({ records: moved }: Report): HTMLElement {
  const rows = Object.entries(moved).map(([name, count]) =>
    element("tr", {}, element("th", { scope: "row" }, collectionName(name)), element("td", {}, number(count))),
  );
  return element("table", { class: "table" }, element("tbody", {}, ...rows));
}

function extent(report: Report): string {
  if (report.outcome === "refused") return "Nothing was written; found out";
  return `${counted(total(report), "record")}, ${size(report.bytes)},`;
}

const total = ({ records: moved }: Report): number => Object.values(moved).reduce((sum, count) => sum + count, 0);
