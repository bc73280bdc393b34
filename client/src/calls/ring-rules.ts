// When a notification rings (MSC4075), as a pure rule.

import type { Ring } from "./types";

export const NOTIFICATION_TYPE = "org.matrix.msc4075.rtc.notification";
export const DECLINE_TYPE = "org.matrix.msc4310.rtc.decline";
/** For how long we let others ring. */
export const LIFETIME_MS = 60_000;
/** Nobody may let a device ring for longer. */
const LIFETIME_MAX_MS = 120_000;
/** A sender's clock that is further ahead is wrong. */
const AHEAD_MAX_MS = 20_000;

export interface Notification {
  eventId: string;
  sender: string;
  originTs: number;
  content: Record<string, unknown>;
}

export interface Receiver {
  userId: string;
  now: number;
  /** Whether the sender may mention everybody. */
  mayMentionRoom: boolean;
  isSlotClosed: boolean;
  /** Whether one of our own devices is in the call. */
  hasJoined: boolean;
}

/** When the ringing ends, ms since the epoch. */
export function ringEnd({ originTs, content }: Pick<Notification, "originTs" | "content">): number {
  const { sender_ts: senderTs, lifetime } = content;
  const isCredible = typeof senderTs === "number" && senderTs - originTs <= AHEAD_MAX_MS;
  const length = typeof lifetime === "number" ? Math.min(Math.max(0, lifetime), LIFETIME_MAX_MS) : 0;
  return (isCredible ? senderTs : originTs) + length;
}

/** What rings because of this notification, if anything does. */
export function judgeRing(notification: Notification, receiver: Receiver): Omit<Ring, "roomId"> | undefined {
  const { eventId, sender, content } = notification;
  const untilTs = ringEnd(notification);
  const isForUs = mentions(content, receiver);
  const isRing = (content.notification_type ?? "ring") === "ring";
  if (sender === receiver.userId || !isRing || !isForUs) return undefined;
  if (receiver.now >= untilTs || receiver.isSlotClosed || receiver.hasJoined) return undefined;
  return { eventId, from: sender as Ring["from"], hasVideo: content["m.call.intent"] === "video", untilTs };
}

function mentions(content: Record<string, unknown>, { userId, mayMentionRoom }: Receiver): boolean {
  const mentioned = content["m.mentions"];
  if (typeof mentioned !== "object" || mentioned === null) return false;
  if ("user_ids" in mentioned && Array.isArray(mentioned.user_ids) && mentioned.user_ids.includes(userId))
    return true;
  return "room" in mentioned && mentioned.room === true && mayMentionRoom;
}

/** The event that a decline or an answer refers to. */
export function referenceOf(content: Record<string, unknown>): string | undefined {
  const relation = content["m.relates_to"];
  if (typeof relation !== "object" || relation === null) return undefined;
  return "event_id" in relation && typeof relation.event_id === "string" ? relation.event_id : undefined;
}
