import { type Logger, logger } from "matrix-js-sdk/lib/logger";

const nothing = () => {};

/** What the SDK tells below an error names rooms and devices, several times a second: it stays unsaid. */
export const quietLogger: Logger = {
  getChild: () => quietLogger,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: (...words) => logger.error(...words),
};
