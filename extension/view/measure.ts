// Numbers, sizes and times as people read them.

const LOCALE = "en-GB";
const NUMBER = new Intl.NumberFormat(LOCALE);
const DAY = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric" });
const CLOCK = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit" });

/** Keeps a figure and its unit on one line. */
const NEAR = "\u00a0";

export const number = (value: number): string => NUMBER.format(value);

/** "1 record", "2,000 records". */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`;

export function size(bytes: number): string {
  if (bytes < 1000) return counted(bytes, "byte");
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : bytes < 1e9 ? [bytes / 1e6, "MB"] : [bytes / 1e9, "GB"];
  return `${value.toFixed(value < 10 ? 1 : 0)}${NEAR}${unit}`;
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(1, Math.round(ms))}${NEAR}ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)}${NEAR}s`;
  if (seconds < 60) return `${Math.round(seconds)}${NEAR}s`;
  return `${Math.floor(seconds / 60)}${NEAR}min ${Math.round(seconds % 60)}${NEAR}s`;
}

/** An estimate, no finer than it deserves. */
export function remaining(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds <= 1) return "a moment left";
  return seconds < 60 ? `about ${seconds} s left` : `about ${Math.ceil(seconds / 60)} min left`;
}

export const day = (time: number): string => DAY.format(time);

export const moment = (time: number): string => `${DAY.format(time)}, ${CLOCK.format(time)}`;
