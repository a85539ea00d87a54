import type { Value } from "../model/fields.js";

/** Makes the page light or dark as the person prefers; anything else leaves it to the system. */
export function wear(theme: Value | undefined): void {
  const { dataset } = document.documentElement;
  if (theme === "light" || theme === "dark") dataset["theme"] = theme;
  else delete dataset["theme"];
}
