import { type RefObject, useCallback, useEffect, useRef, useState } from "react";
import { useSession } from "~/hooks/session";
import {
  splitTimelineKey,
  type TimelineItem,
  type TimelineKey,
  type TimelineSnapshot,
} from "~/matrix/timeline";
import type { VirtualLogHandle } from "./virtual-log";

/** Follows the end of a timeline: what is new below, and what has been seen. */
export function useFollowEnd(
  key: TimelineKey,
  { items, end, status }: TimelineSnapshot,
  log: RefObject<VirtualLogHandle | null>,
) {
  const { timelines, unread } = useSession();
  const { roomId, threadId } = splitTimelineKey(key);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const lastKey = lastMessageOf(items)?.key;
  const seenKey = useRef<string>(undefined);

  const setAtEnd = useCallback(
    (value: boolean) => {
      setIsAtEnd(value);
      timelines.setAtEnd(key, value);
    },
    [timelines, key],
  );

  // Seeing the end while the window has the focus is reading it.
  useEffect(() => {
    if (!isAtEnd || end !== "end" || status !== "ready" || lastKey === undefined) return;
    seenKey.current = lastKey;
    const read = () => {
      if (!document.hasFocus()) return;
      void (threadId === undefined ? unread.sawEnd(roomId) : unread.sawThreadEnd(roomId, threadId));
    };
    read();
    window.addEventListener("focus", read);
    return () => window.removeEventListener("focus", read);
  }, [isAtEnd, end, status, lastKey, unread, roomId, threadId]);

  // What one says oneself is wanted on the screen.
  const last = lastMessageOf(items);
  const ownKey = last?.message.isOwn && last.message.sendState === "sending" ? last.key : undefined;
  useEffect(() => {
    if (ownKey !== undefined) log.current?.toEnd();
  }, [ownKey, log]);

  const seen = items.findIndex((item) => item.key === seenKey.current);
  const newBelow = isAtEnd || seen < 0 ? 0 : countMessages(items, seen + 1);
  return { newBelow, isAtEnd, setAtEnd };
}

function lastMessageOf(items: readonly TimelineItem[]) {
  const last = items.findLast((item) => item.kind === "message");
  return last?.kind === "message" ? last : undefined;
}

function countMessages(items: readonly TimelineItem[], from: number): number {
  let count = 0;
  for (let index = from; index < items.length; index++) if (items[index]?.kind === "message") count++;
  return count;
}
