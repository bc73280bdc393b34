import { expect, test } from "vitest";
import { namesOf, readScopes } from "./access-tokens";
import { asRoomId } from "./ids";

const room = asRoomId("!a:example.org");

test("a token for some rooms names them beside what it may do there", () => {
  expect(namesOf({ scopes: ["read", "send"], rooms: [room] })).toEqual([
    "read",
    "send",
    "rooms:!a:example.org",
  ]);
});

test("a token that reaches beyond rooms is kept to none", () => {
  expect(namesOf({ scopes: ["read", "account"], rooms: [room] })).toEqual(["read", "account"]);
});

test("scopes are read apart in their own order, and unknown ones are passed over", () => {
  expect(readScopes(["send", "rooms:!a:example.org", "read", "later"])).toEqual({
    scopes: ["read", "send"],
    rooms: ["!a:example.org"],
  });
});
