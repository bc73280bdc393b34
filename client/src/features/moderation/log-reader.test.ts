import { expect, test } from "vitest";
import { asEventId, asRoomId, asUserId, type RoomId } from "~/matrix/ids";
import type { LogEntry } from "~/matrix/moderation-log";
import { LogReader } from "./log-reader";

const entry = (roomId: RoomId, ts: number): LogEntry => ({
  id: asEventId(`$${ts}`),
  roomId,
  ts,
  act: "kick",
  actor: asUserId("@mod:x"),
  target: asUserId("@ben:x"),
  reason: "",
  levels: undefined,
});

/** Rooms whose history is these pages of times, and a count of the pages that were read. */
function reading(histories: Record<string, number[][]>) {
  const seen = { pages: 0 };
  const rooms = Object.keys(histories).map(asRoomId);
  const reader = new LogReader(rooms, async function* (roomId) {
    for (const page of histories[roomId] ?? []) {
      seen.pages += 1;
      yield page.map((ts) => entry(roomId, ts));
    }
  });
  const read = async (count: number) =>
    (await reader.read(count, new AbortController().signal)).map(({ ts }) => ts);
  return { reader, read, seen };
}

test("the newest of all rooms come first", async () => {
  const { read, reader } = reading({ "!a": [[9, 5]], "!b": [[7, 1]] });
  expect(await read(3)).toEqual([9, 7, 5]);
  expect(reader.hasMore(3)).toBe(true);
  expect(await read(10)).toEqual([9, 7, 5, 1]);
  expect(reader.hasMore(10)).toBe(false);
});

test("no more pages are read than are needed, and the next step goes on from there", async () => {
  const { read, seen } = reading({ "!a": [[9], [8], [7], [6]] });
  expect(await read(2)).toEqual([9, 8]);
  expect(seen.pages).toBe(2);
  expect(await read(3)).toEqual([9, 8, 7]);
  expect(seen.pages).toBe(3);
});

test("a long quiet history is not walked to its end at once", async () => {
  const { read, reader, seen } = reading({ "!a": Array.from({ length: 40 }, () => []) });
  expect(await read(1)).toEqual([]);
  expect(seen.pages).toBeLessThan(10);
  expect(reader.hasMore(1)).toBe(true);
});
