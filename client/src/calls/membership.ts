// That we are in a room's call, as the room knows it.

import type { MatrixClient } from "matrix-js-sdk/lib/matrix";
import {
  type MatrixRTCSession,
  MatrixRTCSessionEvent,
  MembershipManagerEvent,
  Status,
} from "matrix-js-sdk/lib/matrixrtc";
import { delegatesLeave, type LivekitTransport, sfuToken } from "./dialect";

/** With the server looking after the leave, it alone decides; without it, we restart the delay every few seconds. */
const DELEGATED_DELAY_MS = 3_600_000;
const OWN_DELAY_MS = 16_000;
const LEAVE_TIMEOUT_MS = 5_000;
/** How long the library may take to replace a leave that the server knows no more. */
const REPLACEMENT_MS = 5_000;

interface MembershipOptions {
  client: MatrixClient;
  session: MatrixRTCSession;
  transport: LivekitTransport;
  isEncrypted: boolean;
  intent: "audio" | "video";
  /** The room cannot be told any more that we are in its call. */
  onLost: () => void;
}

/** The membership of this device in a room's call, with the leave that the server sends when this page is gone. */
export class Membership {
  /** The leave that the server looks after. */
  private delegated: string | undefined;
  private isHandingOver = false;
  private hasLeft = false;

  constructor(private readonly options: MembershipOptions) {}

  /** Tells the room that this device is in its call; settles when the room knows. */
  async announce(): Promise<void> {
    const { client, session, transport } = this.options;
    if (!(await delegatesLeave(client, transport))) return this.tellRoom(OWN_DELAY_MS);
    await this.tellRoom(DELEGATED_DELAY_MS);
    if (this.hasLeft) return;
    session.on(MembershipManagerEvent.DelayIdChanged, this.onDelayId);
    await this.handOver();
  }

  withdraw(): Promise<boolean> {
    this.hasLeft = true;
    this.stopFollowing();
    return this.options.session.leaveRoomSession(LEAVE_TIMEOUT_MS);
  }

  /**
   * The library makes another leave, and cancels the first, where it hears of the others in the call before it hears of us, and
   * where somebody removed our membership.
   */
  private readonly onDelayId = (delayId?: string): void => {
    if (delayId) void this.handOver().catch(this.options.onLost);
  };

  private stopFollowing(): void {
    this.options.session.off(MembershipManagerEvent.DelayIdChanged, this.onDelayId);
  }

  /** Hands over the leave that counts, one at a time; where that cannot be, the leave is ours again. */
  private async handOver(): Promise<void> {
    if (this.isHandingOver) return;
    this.isHandingOver = true;
    try {
      while (!this.hasLeft && this.options.session.delayId !== this.delegated) await this.delegate();
    } catch {
      await this.takeBack();
    } finally {
      this.isHandingOver = false;
    }
  }

  private async delegate(): Promise<void> {
    const { client, session, transport } = this.options;
    const delayId = session.delayId ?? (await this.replacementOf(undefined));
    if (!delayId) throw new Error("there is no delayed leave that could be handed over");
    try {
      const delay = { delay_id: delayId, delay_timeout: DELEGATED_DELAY_MS };
      await sfuToken(client, session.room.roomId, transport, delay);
      this.delegated = delayId;
    } catch (refusal) {
      if (!(await this.replacementOf(delayId))) throw refusal;
    }
  }

  /** The leave that the library has instead of this one, as soon as there is one. */
  private replacementOf(delayId: string | undefined): Promise<string | undefined> {
    const { session } = this.options;
    return new Promise((resolve) => {
      const look = () => {
        if (session.delayId && session.delayId !== delayId) finish(session.delayId);
      };
      const finish = (found: string | undefined) => {
        clearTimeout(timer);
        session.off(MembershipManagerEvent.DelayIdChanged, look);
        resolve(found);
      };
      const timer = setTimeout(() => finish(undefined), REPLACEMENT_MS);
      session.on(MembershipManagerEvent.DelayIdChanged, look);
      look();
    });
  }

  /** Nobody may be seen in a call for an hour after they are gone: back to a leave of our own. */
  private async takeBack(): Promise<void> {
    this.stopFollowing();
    if (this.hasLeft) return;
    await this.options.session.leaveRoomSession(LEAVE_TIMEOUT_MS);
    if (!this.hasLeft) await this.tellRoom(OWN_DELAY_MS);
  }

  private tellRoom(delayMs: number): Promise<void> {
    const { client, session, transport, isEncrypted, intent } = this.options;
    const [userId, deviceId] = [client.getSafeUserId(), client.getDeviceId() ?? ""];
    return new Promise<void>((resolve, reject) => {
      const onStatus = (_before: Status, now: Status) => {
        if (now === Status.Connected) finish(resolve);
      };
      const onError = (error: unknown) => finish(() => reject(error));
      const finish = (settle: () => void) => {
        session.off(MembershipManagerEvent.StatusChanged, onStatus);
        session.off(MatrixRTCSessionEvent.MembershipManagerError, onError);
        settle();
      };
      session.on(MembershipManagerEvent.StatusChanged, onStatus);
      session.on(MatrixRTCSessionEvent.MembershipManagerError, onError);
      session.joinRTCSession({ userId, deviceId, memberId: `${userId}:${deviceId}` }, [], transport, {
        manageMediaKeys: isEncrypted,
        unstableSendStickyEvents: false,
        callIntent: intent,
        delayedLeaveEventDelayMs: delayMs,
        delayedLeaveEventRestartMs: delayMs / 3,
        // As Element has it; the library's own default is longer.
        useKeyDelay: 1_000,
      });
    });
  }
}
