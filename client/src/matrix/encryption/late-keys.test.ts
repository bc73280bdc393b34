import type { MatrixEvent } from "matrix-js-sdk/lib/matrix";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LateKeys } from "./late-keys";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** An event that cannot be read, encrypted with this key at this time. */
function unreadable(key: string, { ts = 0, reason = "MEGOLM_UNKNOWN_INBOUND_SESSION_ID" } = {}) {
  const event = {
    isRead: false,
    decryptionFailureReason: reason,
    getTs: () => ts,
    getWireContent: () => ({ session_id: key }),
    isDecryptionFailure: () => !event.isRead,
  };
  return event as typeof event & MatrixEvent;
}

function lateKeys(isOpen: (event: MatrixEvent) => boolean = () => true) {
  const tried: string[] = [];
  const keys = new LateKeys({
    isOpen,
    decrypt: async (event) => void tried.push(event.getWireContent().session_id),
    now: () => Date.now(),
  });
  return { keys, tried };
}

const MINUTES = 60_000;

test("a key is asked for a few times within minutes, once for all its events, and then no more", async () => {
  const { keys, tried } = lateKeys();
  for (let drawn = 0; drawn < 3; drawn++) keys.want(unreadable("a"));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(tried).toEqual(["a", "a"]);
  await vi.advanceTimersByTimeAsync(60 * MINUTES);
  expect(tried).toHaveLength(6);
});

test("when the reader comes back it is asked for again, but not each time", async () => {
  const { keys, tried } = lateKeys();
  keys.want(unreadable("a"));
  await vi.advanceTimersByTimeAsync(10 * MINUTES);
  tried.length = 0;
  for (let click = 0; click < 5; click++) {
    keys.occasion();
    await vi.advanceTimersByTimeAsync(500);
  }
  await vi.advanceTimersByTimeAsync(2_000);
  expect(tried).toEqual(["a"]);
});

test("what is read meanwhile, or out of sight, is left alone", async () => {
  let isOpen = true;
  const { keys, tried } = lateKeys(() => isOpen);
  const event = unreadable("a");
  keys.want(event);
  await vi.advanceTimersByTimeAsync(1_000);
  event.isRead = true;
  await vi.advanceTimersByTimeAsync(10 * MINUTES);
  expect(tried).toEqual(["a"]);
  isOpen = false;
  keys.want(unreadable("b"));
  await vi.advanceTimersByTimeAsync(10 * MINUTES);
  expect(tried).toEqual(["a"]);
  isOpen = true;
  keys.want(unreadable("b"));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(tried).toEqual(["a", "b"]);
});

test("a message that was not meant for this person is not asked for", async () => {
  const { keys, tried } = lateKeys();
  keys.want(unreadable("a", { reason: "HISTORICAL_MESSAGE_USER_NOT_JOINED" }));
  await vi.advanceTimersByTimeAsync(10 * MINUTES);
  expect(tried).toEqual([]);
});

test("of a long history without keys only the newest are asked for", async () => {
  const { keys, tried } = lateKeys();
  for (let ts = 0; ts < 100; ts++) keys.want(unreadable(`k${ts}`, { ts }));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(tried).toHaveLength(30);
  expect(tried).toContain("k99");
  expect(tried).not.toContain("k0");
});
