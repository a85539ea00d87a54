/** What runs in the page. The package's files are served beside this one. */
/* global performance */
import init, { Engine } from "./engine.js";
import { Exuvia } from "./index.js";
import { byHand } from "./by_hand.js";

const WASM = "engine_bg.wasm";
const NO_AREA = {};

/** Milliseconds that each case takes for all records, `rounds` times. */
globalThis.measure = async ({ chain, texts, rounds }) => {
  await init({ module_or_path: WASM });
  const cases = casesOf(
    texts,
    new Engine(NO_AREA, JSON.stringify(chain), 0, 0),
    new Exuvia({ chain, wasm: WASM, area: NO_AREA }),
  );
  const found = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  // The first round only warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const [name, act] of Object.entries(cases)) {
      const start = performance.now();
      await act();
      if (round > 0) found[name].push(performance.now() - start);
    }
  }
  return found;
};

function casesOf(texts, engine, exuvia) {
  const objects = texts.map((text) => JSON.parse(text));
  const up = (text) => engine.translate("conversations", 1, 5, text);
  const moved = texts.map(up);
  return {
    hand: () => texts.map((text) => JSON.stringify(byHand(JSON.parse(text)))),
    handObjects: () => objects.map(byHand),
    text: () => texts.map(up),
    back: () => moved.map(({ record, residue }) => engine.translate("conversations", 5, 1, record, residue)),
    objects: () => Promise.all(objects.map((record) => exuvia.translate("conversations", record, 1, 5))),
  };
}
