import type { MatrixClient } from "matrix-js-sdk/lib/matrix";
import type { Changes } from "./slice";

/** What every part of a session is built from. */
export interface SessionContext {
  readonly client: MatrixClient;
  readonly changes: Changes;
  /** Called when the session closes: listeners go, timers end. */
  readonly onClose: (tearDown: () => void) => void;
}
