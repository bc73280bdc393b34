import { expect, test } from "vitest";
import { judgeRing, type Notification, type Receiver, referenceOf, ringEnd } from "./ring-rules";

const ME = "@me:a";
const SENT = 1_000_000;
const receiver: Receiver = {
  userId: ME,
  now: SENT + 1_000,
  mayMentionRoom: false,
  isSlotClosed: false,
  hasJoined: false,
};
const notification = (
  content: Record<string, unknown> = {},
  more: Partial<Notification> = {},
): Notification => ({
  eventId: "$ring",
  sender: "@ann:a",
  originTs: SENT,
  content: {
    notification_type: "ring",
    "m.mentions": { user_ids: [ME], room: false },
    sender_ts: SENT,
    lifetime: 60_000,
    ...content,
  },
  ...more,
});

test("whoever is mentioned by name hears it ring", () => {
  expect(judgeRing(notification({ "m.call.intent": "video" }), receiver)).toEqual({
    eventId: "$ring",
    from: "@ann:a",
    hasVideo: true,
    untilTs: SENT + 60_000,
  });
  expect(judgeRing(notification({ "m.mentions": { user_ids: ["@other:a"] } }), receiver)).toBeUndefined();
  expect(judgeRing(notification({ "m.mentions": "everybody" }), receiver)).toBeUndefined();
});

test("the whole room rings only by who may mention it", () => {
  const all = notification({ "m.mentions": { room: true } });
  expect(judgeRing(all, receiver)).toBeUndefined();
  expect(judgeRing(all, { ...receiver, mayMentionRoom: true })).toBeDefined();
});

test("nothing rings of one's own, in a closed slot, for who is inside, too late, or that only notifies", () => {
  expect(judgeRing(notification({}, { sender: ME }), receiver)).toBeUndefined();
  expect(judgeRing(notification(), { ...receiver, isSlotClosed: true })).toBeUndefined();
  expect(judgeRing(notification(), { ...receiver, hasJoined: true })).toBeUndefined();
  expect(judgeRing(notification(), { ...receiver, now: SENT + 60_000 })).toBeUndefined();
  expect(judgeRing(notification({ notification_type: "notification" }), receiver)).toBeUndefined();
});

test("no clock and no wish makes a device ring for longer than two minutes", () => {
  const end = (content: Record<string, unknown>) => ringEnd({ originTs: SENT, content });
  expect(end({ sender_ts: SENT, lifetime: 9e9 })).toBe(SENT + 120_000);
  expect(end({ sender_ts: SENT + 9e9, lifetime: 30_000 })).toBe(SENT + 30_000);
  expect(end({ sender_ts: SENT, lifetime: "long" })).toBe(SENT);
});

test("a decline names what it declines", () => {
  expect(referenceOf({ "m.relates_to": { rel_type: "m.reference", event_id: "$ring" } })).toBe("$ring");
  expect(referenceOf({ "m.relates_to": { event_id: 5 } })).toBeUndefined();
  expect(referenceOf({})).toBeUndefined();
});
