import { expect, test } from "vitest";
import { failureOf, LoginError } from "./login";

test.each([
  ["M_FORBIDDEN", 403, "wrong"],
  ["M_USER_LOCKED", 401, "locked"],
  ["ORG.ECHORIFT.ACCOUNT_DISABLED", 403, "disabled"],
  ["ORG.ECHORIFT.ACCOUNT_EXPIRED", 403, "expired"],
  ["ORG.ECHORIFT.PASSWORD_EXPIRED", 403, "passwordExpired"],
  ["ORG.ECHORIFT.PASSWORD_MUST_CHANGE", 403, "passwordMustChange"],
  ["M_WEAK_PASSWORD", 400, "passwordWeak"],
  ["M_UNKNOWN", 503, "directoryAway"],
  ["M_UNKNOWN", 500, "failed"],
])("%s with status %i has its own sentence: %s", (errcode, status, failure) => {
  expect(failureOf(new LoginError(errcode, "", status))).toBe(failure);
});
