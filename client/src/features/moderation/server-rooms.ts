import { useCurrentServer } from "~/features/servers";
import { useSession } from "~/hooks/session";
import type { RoomId } from "~/matrix/ids";
import type { Session } from "~/matrix/session";

/** The joined rooms of the server that a room belongs to, itself among them; only itself if it belongs to none. */
export function useServerRooms(roomId: RoomId): readonly RoomId[] {
  const session = useSession();
  const { serverId } = useCurrentServer();
  if (!serverId) return [roomId];
  const rooms = roomsOfServer(session, serverId);
  return rooms.includes(roomId) ? rooms : [roomId];
}

/** Channels of all categories of a server. */
export const roomsOfServer = ({ spaces }: Session, serverId: RoomId): readonly RoomId[] =>
  spaces.categories.peek(serverId).flatMap(({ channels }) => channels);
