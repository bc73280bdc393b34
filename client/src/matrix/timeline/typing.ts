import { type MatrixEvent, type RoomMember, RoomMemberEvent } from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "../context";
import { asRoomId, asUserId, type RoomId, type UserId } from "../ids";
import { DerivedSlice } from "../slice";

/** Who else is typing in a room. */
export class Typing {
  readonly rooms: DerivedSlice<readonly UserId[], RoomId>;

  constructor({ client, changes, onClose }: SessionContext) {
    const own = client.getSafeUserId();
    this.rooms = new DerivedSlice(changes, (roomId): readonly UserId[] => {
      const members = client.getRoom(roomId)?.currentState.getMembers() ?? [];
      return members
        .filter((member) => member.typing && member.userId !== own)
        .map((member) => asUserId(member.userId));
    });
    const onTyping = (_event: MatrixEvent, member: RoomMember) =>
      this.rooms.invalidate(asRoomId(member.roomId));
    client.on(RoomMemberEvent.Typing, onTyping);
    onClose(() => client.off(RoomMemberEvent.Typing, onTyping));
  }
}
