/** Functions that run in a page of the extension, where structured clones are. Their text alone gets there. */

/** Keeps what Firefox can keep and JSON cannot say: under a key of its own, and in a field that no schema knows. */
export async function keepClones(): Promise<void> {
  const clones = {
    date: new Date(1_697_000_000_123),
    map: new Map<unknown, unknown>([["k", new Map([[1, new Set([2n ** 70n])]])]]),
    numbers: [NaN, -Infinity],
    pattern: /a\/b/giu,
    bytes: new Uint8Array([0, 255]),
    lookalike: { "exuvia:clone": ["Date", 5] },
  };
  const { conversations } = await chrome.storage.local.get<{ conversations: { clones?: unknown }[] }>("conversations");
  for (const record of conversations) record.clones = clones;
  await chrome.storage.local.set({ clones, conversations });
}

/** Where they are not what they were. */
export async function differingClones(): Promise<string[]> {
  const shown = (value: unknown): string => {
    const kind = Object.prototype.toString.call(value);
    if (value instanceof Date) return `${kind} ${value.getTime()}`;
    if (value instanceof Map || value instanceof Set || value instanceof Uint8Array)
      return `${kind} ${shown([...value])}`;
    if (Array.isArray(value)) return `[${value.map(shown).join(",")}]`;
    if (kind !== "[object Object]") return `${kind} ${String(value)}`;
    const members = Object.entries(value as object).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${name}:${shown(member)}`).join(",")}}`;
  };
  const bytes = "[object Uint8Array] [[object Number] 0,[object Number] 255]";
  const inner = `[object Map] [[[object Number] 1,[object Set] [[object BigInt] ${2n ** 70n}]]]`;
  const expected =
    `{bytes:${bytes},date:[object Date] 1697000000123,` +
    `lookalike:{exuvia:clone:[[object String] Date,[object Number] 5]},` +
    `map:[object Map] [[[object String] k,${inner}]],` +
    `numbers:[[object Number] NaN,[object Number] -Infinity],pattern:[object RegExp] /a\\/b/giu}`;
  const all = await chrome.storage.local.get<Record<string, unknown>>(null);
  const places = Object.entries(all).flatMap(([key, value]): [string, unknown][] => {
    if (key === "clones") return [[key, value]];
    if (key.startsWith("conversation:")) return [[key, (value as { clones?: unknown }).clones]];
    return [];
  });
  const wrong = places
    .filter(([, value]) => shown(value) !== expected)
    .map(([key, value]) => `${key}: ${shown(value)}`);
  return places.length > 1 ? wrong : ["the clones are gone"];
}
