import initEngine, { __wbg_reset_state } from "./engine.js";

/** The time of one WebAssembly module in this context, from its start to its trap. */
export interface Life {
  /** Settles when the module has trapped. */
  ended: Promise<void>;
  end: () => void;
}

let now = begun();
/** Whether the module that is loaded is one that has trapped. */
let isOver = false;

function begun(): Life {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  return { ended, end };
}

/** The life that this context is in. What was made in an earlier one is of no use. */
export const currentLife = (): Life => now;

/** Loads the module, once for all who want it in this context; a new one after a trap. */
export async function load(wasm: string | URL): Promise<void> {
  await initEngine({ module_or_path: wasm });
  if (isOver) renew();
}

/** A module that has trapped (whose memory ran out, say) is in no state to be asked again: another takes its place at once,
 * so that nothing that was under way in it goes on. */
export function end(life: Life): void {
  if (life !== now) return;
  now = begun();
  isOver = true;
  try {
    renew();
  } catch {
    // Without memory for another one; the next who loads it tries again.
  }
  life.end();
}

function renew(): void {
  __wbg_reset_state();
  isOver = false;
}

/** A trap never settles the promise it happened under: it is told to the whole context. */
export function trapped(): { promise: Promise<never>; forget: () => void } {
  let heard: (event: ErrorEvent) => void = () => undefined;
  const promise = new Promise<never>((_, reject) => {
    heard = ({ error }: ErrorEvent) => {
      if (error instanceof WebAssembly.RuntimeError) reject(error);
    };
  });
  globalThis.addEventListener("error", heard);
  return { promise, forget: () => globalThis.removeEventListener("error", heard) };
}
