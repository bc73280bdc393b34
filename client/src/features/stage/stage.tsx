import { useCallMembers, useCurrentCall } from "~/hooks/calls";
import { useRoom } from "~/hooks/rooms";
import type { RoomId } from "~/matrix/ids";
import { Lobby } from "./lobby";
import { StageView } from "./stage-view";

/**
 * The call of a room on its own page: everybody who is in, or the way in. Other rooms than voice channels have one only
 * while somebody is in their call.
 */
export function Stage({ roomId }: { roomId: RoomId }) {
  const call = useCurrentCall();
  const members = useCallMembers(roomId);
  const room = useRoom(roomId);
  if (call?.roomId === roomId) return <StageView call={call} />;
  return room?.kind === "voice" || members.length > 0 ? <Lobby roomId={roomId} /> : null;
}
