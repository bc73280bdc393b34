import { ClientEvent, EventType, Preset, type Room } from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "./context";
import { asRoomId, type RoomId, type UserId } from "./ids";

const ENCRYPTION = { algorithm: "m.megolm.v1.aes-sha2" };

/** Direct messages: one room with one person (CS API § Direct Messaging). */
export class Directs {
  private readonly opening = new Map<UserId, Promise<RoomId>>();

  constructor(private readonly context: SessionContext) {}

  /** The direct message with this person; made, encrypted, if there is none. Two calls at once open the same. */
  open(userId: UserId): Promise<RoomId> {
    const known = this.opening.get(userId);
    if (known) return known;
    const room = this.findOrCreate(userId).finally(() => this.opening.delete(userId));
    this.opening.set(userId, room);
    return room;
  }

  /** The one where something was said last, of those where both still are. */
  find(userId: UserId): RoomId | undefined {
    const { client } = this.context;
    const rooms = this.listed(userId)
      .map((id) => client.getRoom(id))
      .filter((room): room is Room => room?.getMyMembership() === "join" && isWith(room, userId));
    rooms.sort((a, b) => b.getLastActiveTimestamp() - a.getLastActiveTimestamp());
    const newest = rooms[0];
    return newest ? asRoomId(newest.roomId) : undefined;
  }

  private async findOrCreate(userId: UserId): Promise<RoomId> {
    const found = this.find(userId);
    if (found) return found;
    const { client } = this.context;
    const { room_id: roomId } = await client.createRoom({
      preset: Preset.TrustedPrivateChat,
      is_direct: true,
      invite: [userId],
      initial_state: [{ type: EventType.RoomEncryption, state_key: "", content: ENCRYPTION }],
    });
    const all = this.accountData();
    await client.setAccountData(EventType.Direct, { ...all, [userId]: [...this.listed(userId), roomId] });
    await this.isKnown(roomId);
    return asRoomId(roomId);
  }

  private isKnown(roomId: string): Promise<void> {
    const { client } = this.context;
    if (client.getRoom(roomId)) return Promise.resolve();
    return new Promise((resolve) => {
      client.on(ClientEvent.Room, function look(room) {
        if (room.roomId !== roomId) return;
        client.off(ClientEvent.Room, look);
        resolve();
      });
    });
  }

  private accountData(): Record<string, string[]> {
    return { ...(this.context.client.getAccountData(EventType.Direct)?.getContent() ?? {}) };
  }

  private listed(userId: UserId): string[] {
    // Other clients write it too: nothing is taken for granted.
    const rooms: unknown = this.accountData()[userId];
    return Array.isArray(rooms) ? rooms.filter((id) => typeof id === "string") : [];
  }
}

function isWith(room: Room, userId: UserId): boolean {
  const membership = room.getMember(userId)?.membership;
  return membership === "join" || membership === "invite";
}
