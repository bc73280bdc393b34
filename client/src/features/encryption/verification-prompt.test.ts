import { expect, test } from "vitest";
import type { EncryptionState } from "~/matrix/encryption/encryption";
import { promptFor } from "./verification-prompt";

const ready: EncryptionState = {
  stage: "ready",
  hasRecoveryKey: true,
  isBackedUp: true,
  unsavedKey: undefined,
};

test("nothing is asked of whoever has everything, or while it is not known", () => {
  expect(promptFor(ready)).toBeUndefined();
  expect(promptFor({ ...ready, stage: "checking", hasRecoveryKey: false })).toBeUndefined();
});

test("a device without the account's keys is to be verified first", () => {
  expect(promptFor({ ...ready, stage: "unverified", hasRecoveryKey: false })).toBe("verify");
});

test("a key that was made is to be saved, one that is missing to be made", () => {
  expect(promptFor({ ...ready, unsavedKey: "EsT…" })).toBe("saveKey");
  expect(promptFor({ ...ready, hasRecoveryKey: false })).toBe("createKey");
});
