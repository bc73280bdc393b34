import { useSession, useSlice } from "~/hooks/session";
import type { RoomId } from "~/matrix/ids";

/** The joined channels of the server that a channel belongs to; only itself if it belongs to none. */
export function useServerRooms(roomId: RoomId): readonly RoomId[] {
  const { spaces } = useSession();
  const { serverId } = useSlice(spaces.serverOf, roomId);
  return serverId ? spaces.roomsBelow(serverId) : [roomId];
}
