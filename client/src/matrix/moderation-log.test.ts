import { expect, test } from "vitest";
import { type RawEvent, readActs } from "./moderation-log";

const event = (change: Partial<RawEvent>): RawEvent => ({
  event_id: "$e",
  type: "m.room.member",
  sender: "@mod:x",
  origin_server_ts: 7,
  state_key: "@ben:x",
  content: {},
  prevContent: {},
  ...change,
});
const acts = (change: Partial<RawEvent>) => readActs("!r", event(change)).map(({ act }) => act);

test("removals, bans and pardons of others are acts", () => {
  expect(acts({ content: { membership: "leave" }, prevContent: { membership: "join" } })).toEqual(["kick"]);
  expect(acts({ content: { membership: "ban" }, prevContent: { membership: "join" } })).toEqual(["ban"]);
  expect(acts({ content: { membership: "leave" }, prevContent: { membership: "ban" } })).toEqual(["unban"]);
});

test("joining, leaving and inviting are none", () => {
  expect(acts({ sender: "@ben:x", content: { membership: "leave" } })).toEqual([]);
  expect(acts({ sender: "@ben:x", content: { membership: "join" } })).toEqual([]);
  expect(acts({ content: { membership: "invite" } })).toEqual([]);
});

test("each changed role is an act with its levels", () => {
  const entries = readActs(
    "!r",
    event({
      type: "m.room.power_levels",
      state_key: "",
      prevContent: { users: { "@a:x": 100, "@b:x": 50 } },
      content: { users: { "@a:x": 100, "@c:x": 50 } },
    }),
  );
  expect(entries.map(({ target, levels }) => [target, levels])).toEqual([
    ["@b:x", { before: 50, after: 0 }],
    ["@c:x", { before: 0, after: 50 }],
  ]);
});

test("a room's first levels are nobody's promotion", () =>
  expect(acts({ type: "m.room.power_levels", content: { users: { "@a:x": 100 } } })).toEqual([]));

test("a deletion says who deleted and why", () => {
  const [entry] = readActs("!r", event({ type: "m.room.redaction", content: { reason: "spam" } }));
  expect(entry).toMatchObject({ act: "delete", actor: "@mod:x", reason: "spam", target: undefined });
});
