import { useEffect, useMemo } from "react";
import { useSession, useSlice } from "~/hooks/session";
import type { EventId, RoomId } from "~/matrix/ids";
import { type TimelineKey, type TimelineSnapshot, timelineKey } from "~/matrix/timeline";

/** Opens a timeline for as long as the component is there; `at` is where, when it opens. */
export function useTimeline(
  roomId: RoomId,
  threadId: EventId | undefined,
  at: EventId | undefined,
): { key: TimelineKey; snapshot: TimelineSnapshot } {
  const { timelines } = useSession();
  const key = timelineKey(roomId, threadId);
  // biome-ignore lint/correctness/useExhaustiveDependencies: later jumps move the open timeline instead of opening it anew.
  useEffect(() => timelines.open(key, at), [timelines, key]);
  const snapshot = useSlice(timelines.snapshots, key);
  return useMemo(() => ({ key, snapshot }), [key, snapshot]);
}
