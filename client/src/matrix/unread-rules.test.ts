import { expect, test } from "vitest";
import { deriveUnread, NOTHING_UNREAD, sumUnread, type UnreadFacts } from "./unread-rules";

const quiet: UnreadFacts = {
  main: { total: 0, mentions: 0 },
  threads: { total: 0, mentions: 0 },
  hasSeenNewest: true,
  hasNewMessages: false,
  isMuted: false,
  isMarked: false,
};
const busy: UnreadFacts = {
  ...quiet,
  main: { total: 3, mentions: 1 },
  hasSeenNewest: false,
  hasNewMessages: true,
};

test("a quiet room has no marks", () => {
  expect(deriveUnread(quiet)).toEqual(NOTHING_UNREAD);
});

test("the server's counts are shown, those of threads among them", () => {
  const unread = deriveUnread({ ...busy, threads: { total: 2, mentions: 1 } });
  expect(unread).toEqual({ count: 5, mentions: 2, threads: 2, isUnread: true, isMuted: false });
});

test("what was seen here is read at once, before the server says so; threads stay", () => {
  const unread = deriveUnread({ ...busy, hasSeenNewest: true, threads: { total: 1, mentions: 0 } });
  expect(unread).toMatchObject({ count: 1, mentions: 0, threads: 1, isUnread: true });
});

test("a muted room is silent but for mentions", () => {
  expect(deriveUnread({ ...busy, isMuted: true })).toMatchObject({ count: 1, mentions: 1, isUnread: true });
  const unnamed = { ...busy, main: { total: 3, mentions: 0 }, isMuted: true };
  expect(deriveUnread(unnamed)).toMatchObject({ count: 0, isUnread: false, isMuted: true });
});

test("a room of which only mentions are told still stands out when something is new", () => {
  const unread = deriveUnread({ ...quiet, hasSeenNewest: false, hasNewMessages: true });
  expect(unread).toMatchObject({ count: 0, mentions: 0, isUnread: true });
});

test("a room marked as unread stands out until it is read", () => {
  expect(deriveUnread({ ...quiet, isMarked: true }).isUnread).toBe(true);
});

test("a server shows the sum of its rooms", () => {
  const sum = sumUnread([deriveUnread(busy), deriveUnread({ ...busy, isMuted: true }), NOTHING_UNREAD]);
  expect(sum).toEqual({ count: 4, mentions: 2, threads: 0, isUnread: true, isMuted: false });
});
