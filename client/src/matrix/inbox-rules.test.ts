import { expect, test } from "vitest";
import { addDone, isDone, readDone, readNotifications, reasonOf, threadOf } from "./inbox-rules";

const entry = (more: object = {}, content: object = {}) => ({
  room_id: "!r",
  ts: 5,
  actions: ["notify"],
  event: { event_id: "$e", sender: "@a:b", type: "m.room.message", content },
  ...more,
});
const only = (value: object) => readNotifications({ notifications: [value] })[0] as never;

test("what is not understood is left out", () => {
  expect(readNotifications({ notifications: [entry(), { room_id: 7 }, null] })).toHaveLength(1);
  expect(readNotifications("nonsense")).toEqual([]);
});

test("a highlight is a mention, a thread's message a reply, anything else neither", () => {
  const inThread = { "m.relates_to": { rel_type: "m.thread", event_id: "$root" } };
  expect(reasonOf(only(entry({ actions: ["notify", { set_tweak: "highlight" }] })))).toBe("mention");
  expect(reasonOf(only(entry({ actions: [{ set_tweak: "highlight", value: false }] })))).toBeUndefined();
  expect(reasonOf(only(entry({}, inThread)))).toBe("thread");
  expect(threadOf(only(entry({}, inThread)))).toBe("$root");
  expect(threadOf(only(entry({}, { "m.relates_to": "x" })))).toBeUndefined();
});

test("what is done stays done, and the list of it stays short", () => {
  let done = readDone(undefined);
  for (let index = 0; index < 300; index++) done = addDone(done, `$${index}`);
  expect(done.ids).toHaveLength(200);
  expect(isDone(done, "$299", 9)).toBe(true);
  expect(isDone(done, "$0", 9)).toBe(false);
  expect(isDone({ ids: [], untilTs: 9 }, "$any", 9)).toBe(true);
});
