import { EventEmitter } from "node:events";
import type { MatrixClient } from "matrix-js-sdk/lib/matrix";
import { type MatrixRTCSession, MembershipManagerEvent, Status } from "matrix-js-sdk/lib/matrixrtc";
import { beforeEach, expect, test, vi } from "vitest";
import { delegatesLeave, sfuToken } from "./dialect";
import { Membership } from "./membership";

vi.mock("./dialect", () => ({ delegatesLeave: vi.fn(), sfuToken: vi.fn() }));

/** The library's session as far as a membership looks at it; it is connected as soon as it is joined. */
class Session extends EventEmitter {
  readonly room = { roomId: "!room:a" };
  readonly delays: (number | undefined)[] = [];
  delayId: string | undefined;
  leaves = 0;

  joinRTCSession(
    _me: unknown,
    _preferred: unknown,
    _own: unknown,
    config: { delayedLeaveEventDelayMs?: number },
  ) {
    this.delays.push(config.delayedLeaveEventDelayMs);
    this.replaceLeave(`leave ${this.delays.length}`);
    queueMicrotask(() =>
      this.emit(MembershipManagerEvent.StatusChanged, Status.Connecting, Status.Connected),
    );
  }

  async leaveRoomSession() {
    this.leaves += 1;
    this.replaceLeave(undefined);
    return true;
  }

  replaceLeave(delayId: string | undefined) {
    this.delayId = delayId;
    this.emit(MembershipManagerEvent.DelayIdChanged, delayId);
  }
}

const HOUR_MS = 3_600_000;
const transport = { type: "livekit", livekit_service_url: "https://a/livekit" } as const;
let session: Session;
let membership: Membership;
const onLost = vi.fn();

beforeEach(() => {
  vi.resetAllMocks();
  vi.mocked(delegatesLeave).mockResolvedValue(true);
  session = new Session();
  membership = new Membership({
    client: { getSafeUserId: () => "@ann:a", getDeviceId: () => "D" } as MatrixClient,
    session: session as unknown as MatrixRTCSession,
    transport,
    isEncrypted: false,
    intent: "audio",
    onLost,
  });
});

/** The leaves that the service was asked to look after. */
const handedOver = () => vi.mocked(sfuToken).mock.calls.map(([, , , delay]) => delay?.delay_id);
const settled = () => new Promise((resolve) => setTimeout(resolve));

test("every leave that the library makes is handed over, until the call is left", async () => {
  await membership.announce();
  session.replaceLeave(undefined);
  session.replaceLeave("leave 2");
  await settled();
  expect(handedOver()).toEqual(["leave 1", "leave 2"]);
  await membership.withdraw();
  session.replaceLeave("somebody else's");
  await settled();
  expect(handedOver()).toEqual(["leave 1", "leave 2"]);
  expect(session.delays).toEqual([HOUR_MS]);
});

test("a leave that is replaced while it is handed over is followed by its replacement", async () => {
  vi.mocked(sfuToken).mockImplementationOnce(async () => {
    session.replaceLeave("leave 2");
    throw new Error("the server knows no such leave");
  });
  await membership.announce();
  expect(handedOver()).toEqual(["leave 1", "leave 2"]);
  expect(session.leaves).toBe(0);
});

test("a leave that nobody takes is our own again", async () => {
  vi.useFakeTimers();
  vi.mocked(sfuToken).mockRejectedValue(new Error("no"));
  const announced = membership.announce();
  await vi.runAllTimersAsync();
  await announced;
  vi.useRealTimers();
  expect(session.delays).toEqual([HOUR_MS, 16_000]);
  expect(session.leaves).toBe(1);
  session.replaceLeave("leave 3");
  await settled();
  expect(handedOver()).toEqual(["leave 1"]);
  expect(onLost).not.toHaveBeenCalled();
});
