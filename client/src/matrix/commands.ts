import type { SessionContext } from "./context";
import { asRoomId, type RoomId } from "./ids";

/** What the composer's commands do in a room. Each settles when the server has done it, and fails with its refusal. */
export class Commands {
  constructor(private readonly context: SessionContext) {}

  async setTopic(roomId: RoomId, topic: string): Promise<void> {
    await this.context.client.setRoomTopic(roomId, topic);
  }

  async invite(roomId: RoomId, userId: string, reason: string): Promise<void> {
    await this.context.client.invite(roomId, userId, reason ? { reason } : {});
  }

  async kick(roomId: RoomId, userId: string, reason: string): Promise<void> {
    await this.context.client.kick(roomId, userId, reason || undefined);
  }

  async ban(roomId: RoomId, userId: string, reason: string): Promise<void> {
    await this.context.client.ban(roomId, userId, reason || undefined);
  }

  async unban(roomId: RoomId, userId: string): Promise<void> {
    await this.context.client.unban(roomId, userId);
  }

  async setOwnName(name: string): Promise<void> {
    await this.context.client.setDisplayName(name);
  }

  /** Joins by address or ID; gives the room's ID. */
  async join(address: string): Promise<RoomId> {
    return asRoomId((await this.context.client.joinRoom(address)).roomId);
  }

  async leave(roomId: RoomId): Promise<void> {
    await this.context.client.leave(roomId);
  }
}
