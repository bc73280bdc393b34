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
