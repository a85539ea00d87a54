import type { Chain } from "./types.js";

/** One record of an export file. */
export interface RecordLine {
  collection: string;
  key: string;
  record: unknown;
}

/** A file that `Exuvia.import` reads, from records of one version of the chain. For data from elsewhere: bring it into
 * the form of any version, once; the chain does the rest, now and in every later version. */
export function recordsFile(chain: Chain, version: number, records: Iterable<RecordLine>): Blob {
  const line = chain.line.slice(0, version);
  const parts = [JSON.stringify({ exuvia: "export", format: 1, version, line }) + "\n"];
  let count = 0;
  for (const { collection, key, record } of records) {
    parts.push(JSON.stringify({ collection, key, record }) + "\n");
    count += 1;
  }
  parts.push(JSON.stringify({ end: true, records: count }) + "\n");
  return new Blob(parts, { type: "application/x-ndjson" });
}
