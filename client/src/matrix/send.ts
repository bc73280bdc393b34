import { EventType, MsgType } from "matrix-js-sdk";
import type { SessionContext } from "./context";
import type { RoomId } from "./ids";

/** Everything that this account says. */
export class Sender {
  constructor(private readonly context: SessionContext) {}

  /** Sends a plain text; it shows at once and settles when the server has it. */
  async text(roomId: RoomId, body: string): Promise<void> {
    await this.context.client.sendEvent(roomId, EventType.RoomMessage, { msgtype: MsgType.Text, body });
  }
}
