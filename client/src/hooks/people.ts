import { useEffect, useMemo } from "react";
import type { RoomId, UserId } from "~/matrix/ids";
import { memberKey } from "~/matrix/members";
import type { MemberActions } from "~/matrix/moderation-rules";
import type { Presence } from "~/matrix/presence";
import { useSession, useSlice } from "./session";

export function usePresence(userId: UserId): Presence {
  return useSlice(useSession().presence.of, userId);
}

export function useIsIgnored(userId: UserId): boolean {
  return useSlice(useSession().ignored.one, userId).isIgnored;
}

/** What this account may do to somebody: leave out of the screen what is false. */
export function useMemberActions(roomId: RoomId, userId: UserId): MemberActions {
  return useSlice(useSession().moderation.actions, memberKey(roomId, userId));
}

/** In larger servers nobody needs to know it exactly, and every change of presence would count anew. */
const COUNTED_MEMBERS_MAX = 2_000;

/** How many of a room's people are there now; `undefined` for very large rooms. */
export function useOnlineCount(roomId: RoomId, memberCount: number): number | undefined {
  const { members, presence } = useSession();
  const isCounted = memberCount <= COUNTED_MEMBERS_MAX;
  const everybody = useSlice(members.all, roomId);
  const { revision } = useSlice(presence.revision, "all");
  useEffect(() => {
    if (isCounted) void members.load(roomId).catch(() => {});
  }, [members, roomId, isCounted]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `revision` stands for the presences that are read inside.
  return useMemo(
    () =>
      isCounted
        ? everybody.filter(
            ({ membership, userId }) => membership === "join" && presence.of.peek(userId).state !== "offline",
          ).length
        : undefined,
    [everybody, presence, revision, isCounted],
  );
}
