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

interface MembershipOptions {
  client: MatrixClient;
  session: MatrixRTCSession;
  transport: LivekitTransport;
  isEncrypted: boolean;
  intent: "audio" | "video";
}

/** Tells the room that this device is in its call; settles when the room knows. */
export async function announce(options: MembershipOptions): Promise<void> {
  const { client, session, transport } = options;
  if (!(await delegatesLeave(client, transport))) return tellRoom(options, OWN_DELAY_MS);
  await tellRoom(options, DELEGATED_DELAY_MS);
  try {
    if (!session.delayId) throw new Error("there is no delayed leave that could be handed over");
    await sfuToken(client, session.room.roomId, transport, {
      delay_id: session.delayId,
      delay_timeout: DELEGATED_DELAY_MS,
    });
  } catch {
    // Nobody may be seen in a call for an hour after they are gone: back to a leave of our own.
    await session.leaveRoomSession(LEAVE_TIMEOUT_MS);
    await tellRoom(options, OWN_DELAY_MS);
  }
}

export function withdraw(session: MatrixRTCSession): Promise<boolean> {
  return session.leaveRoomSession(LEAVE_TIMEOUT_MS);
}

function tellRoom({ client, session, transport, isEncrypted, intent }: MembershipOptions, delayMs: number) {
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
