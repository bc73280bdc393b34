import { expect, test } from "vitest";
import { addDone, collect, isDone, readDone, readNotifications, reasonOf, threadOf } from "./inbox-rules";

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

test("an empty page is not the last one, and no more are asked for than is enough", async () => {
  const page = (count: number, next_token?: string) => ({
    notifications: Array.from({ length: count }, () => entry()),
    ...(next_token ? { next_token } : {}),
  });
  const asked: (string | undefined)[] = [];
  const found = (pages: object[], enough = 3, pagesMax = 9) => {
    asked.length = 0;
    const ask = async (from: string | undefined) => pages[asked.push(from) - 1];
    return collect(ask, () => true, { enough, pagesMax });
  };
  expect(await found([page(0, "a"), page(2, "b"), page(2, "c"), page(1)])).toHaveLength(3);
  expect(asked).toEqual([undefined, "a", "b"]);
  expect(await found([page(1)])).toHaveLength(1);
  await found([page(0, "a"), page(0, "b"), page(0, "c")], 3, 2);
  expect(asked).toHaveLength(2);
  expect(
    await collect(
      async () => page(5),
      () => false,
      { enough: 3, pagesMax: 9 },
    ),
  ).toEqual([]);
});
