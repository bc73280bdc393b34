import { MatrixError } from "matrix-js-sdk/lib/matrix";

/** More waiting than this for one request means that something is wrong. */
const REFUSALS_MAX = 20;

/** Asks again when the server says that this went too fast, after the time that it names. */
export async function patiently<T>(ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let refusals = 0; ; refusals++) {
    signal?.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      const isTooFast = error instanceof MatrixError && error.errcode === "M_LIMIT_EXCEEDED";
      if (!isTooFast || refusals >= REFUSALS_MAX) throw error;
      await pause(error.getRetryAfterMs() ?? 1_000, signal);
    }
  }
}

function pause(durationMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, durationMs);
    signal?.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(signal.reason);
      },
      { once: true },
    );
  });
}
