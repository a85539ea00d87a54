import { ExuviaError } from "./problem.js";
import type { Problem } from "./types.js";

const BUSY: Problem = {
  kind: "busy",
  message: "expected the data to be free, found another context of the extension at work; try again",
};

/** Runs `body` while this context holds a lock of the extension. Throws where it does not get it within `waitMs`. */
export async function locked<T>(name: string, mode: LockMode, waitMs: number, body: () => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(waitMs);
  const lock = { granted: false };
  try {
    return await navigator.locks.request(name, { mode, signal }, () => {
      lock.granted = true;
      return body();
    });
  } catch (error) {
    // A signal that comes when the lock is held changes nothing: what is thrown then is of `body`.
    throw lock.granted ? error : new ExuviaError(BUSY);
  }
}
