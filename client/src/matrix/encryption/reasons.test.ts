import { DecryptionFailureCode } from "matrix-js-sdk/lib/crypto-api";
import { expect, test } from "vitest";
import { reasonFor } from "./reasons";

test("what was said before somebody joined stays closed, whatever the device", () => {
  expect(reasonFor(DecryptionFailureCode.HISTORICAL_MESSAGE_USER_NOT_JOINED, true)).toBe("before-join");
});

test("a device that is not verified is told so where its backup would help", () => {
  const code = DecryptionFailureCode.HISTORICAL_MESSAGE_BACKUP_UNCONFIGURED;
  expect(reasonFor(code, false)).toBe("this-device-unverified");
  expect(reasonFor(code, true)).toBe("unknown");
});

test("keys that may still come are waited for", () => {
  expect(reasonFor(DecryptionFailureCode.MEGOLM_UNKNOWN_INBOUND_SESSION_ID, true)).toBe("waiting-for-keys");
});
