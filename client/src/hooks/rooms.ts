import type { RoomId, UserId } from "~/matrix/ids";
import { type Member, memberKey } from "~/matrix/members";
import type { RoomSummary } from "~/matrix/rooms";
import type { RoomUnread } from "~/matrix/unread";
import { useSession, useSlice } from "./session";

export function useRoom(roomId: RoomId): RoomSummary | undefined {
  return useSlice(useSession().rooms.summaries, roomId).room;
}

export function useMember(roomId: RoomId, userId: UserId): Member {
  return useSlice(useSession().members.one, memberKey(roomId, userId));
}

export function useUnread(roomId: RoomId): RoomUnread {
  return useSlice(useSession().unread.rooms, roomId);
}
