import { expect, test } from "vitest";
import { kindOfReason } from "./reason-kind";

test("what libraries say of a connection that failed is known by its kind", () => {
  const said = {
    "the request failed: tcp connect error: Connection refused (os error 111)": "refused",
    "I/O error: Connection refused (os error 61)": "refused",
    "the request failed: dns error: failed to lookup address information: Name or service not known":
      "unknownName",
    "the request failed: invalid peer certificate: UnknownIssuer": "certificate",
    "there was no answer in time": "late",
    "Connection timed out (os error 110)": "late",
    "No route to host (os error 113)": "unreachable",
    "connection closed before message completed": "brokenOff",
  };
  for (const [text, kind] of Object.entries(said)) expect(kindOfReason(text), text).toBe(kind);
});

test("what is a sentence already stays one", () => {
  expect(kindOfReason("the answer was 500")).toBeUndefined();
  expect(kindOfReason("Turned off by @chief:nordlicht.example")).toBeUndefined();
});
