import { useMediaUrl } from "~/hooks/media";
import { useMember } from "~/hooks/rooms";
import type { RoomId, UserId } from "~/matrix/ids";
import { Avatar } from "~/ui/avatar";

/** Somebody's picture, as the room knows them. */
export function PersonAvatar({ roomId, userId, size }: { roomId: RoomId; userId: UserId; size: number }) {
  const { name, avatarMxc } = useMember(roomId, userId);
  return <Avatar name={name} seed={userId} src={useMediaUrl(avatarMxc, size)} size={size} />;
}
