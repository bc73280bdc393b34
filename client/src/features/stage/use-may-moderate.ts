import { useMember } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import type { RoomId, UserId } from "~/matrix/ids";

/** Who may kick, unless the room says otherwise. */
const KICK_LEVEL = 50;

/** Whether one may mute or put out this person. The server has the last word. */
export function useMayModerate(roomId: RoomId, userId: UserId): boolean {
  const session = useSession();
  const me = useMember(roomId, session.userId);
  const other = useMember(roomId, userId);
  return me.powerLevel >= KICK_LEVEL && me.powerLevel > other.powerLevel;
}
