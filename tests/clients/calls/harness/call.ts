// A call: the membership by MatrixRTC, the media by one connection to each SFU that a member publishes on.

import { Track } from "livekit-client";
import type { MatrixClient } from "matrix-js-sdk";
import {
    type CallMembership,
    MembershipManagerEvent,
    type MatrixRTCSession,
    MatrixRTCSessionEvent,
    Status,
} from "matrix-js-sdk/lib/matrixrtc";
import {
    type Caller,
    delegateLeave,
    type Dialect,
    isLivekit,
    type LivekitTransport,
    newMemberId,
    ownTransport,
    sfuToken,
} from "./dialects";
import { MediaKeys } from "./media-keys";
import type { Capture } from "./media-options";
import { Sfu } from "./sfu";

const DELEGATED_DELAY_MS = 3_600_000;
/** How long a delayed leave may be handed over in vain, and how often it is tried with another. */
const HAND_OVER_MS = 10_000;
const LOOK_AGAIN_MS = 100;

export interface CallOptions {
    roomId: string;
    dialect: Dialect;
    capture: Capture;
    tileWidth: number;
    /** Media is encrypted with keys for each participant; as the room is. */
    isEncrypted: boolean;
    /** After how long without a sign of us the server takes our membership away. */
    leaveDelayMs: number;
    /** Leaves that to the server, which looks after us in the SFU, with a delay of an hour. */
    delegatesLeave: boolean;
    /** Only connects and listens, without a membership. */
    isGhost: boolean;
}

export class Call {
    readonly problems: string[] = [];
    private readonly sfus = new Map<string, Sfu>();
    private readonly onMemberships = () => void this.follow();
    private hasLeft = false;

    private constructor(
        readonly session: MatrixRTCSession,
        private readonly caller: Caller,
        private readonly transport: LivekitTransport,
        private readonly options: CallOptions,
        private readonly keys: MediaKeys | undefined,
    ) {}

    /**
     * Connects to our own SFU, tells the room, and publishes; settles when all is done.
     *
     * In this order the LiveKit room is there when others see the membership, and the key when the first frame is sent.
     */
    static async join(client: MatrixClient, options: CallOptions): Promise<Call> {
        const room = client.getRoom(options.roomId);
        if (!room) throw new Error(`${client.getUserId()} is not in ${options.roomId}`);
        const { roomId, dialect } = options;
        const caller: Caller = { client, dialect, roomId, memberId: newMemberId(client, dialect) };
        const session = client.matrixRTC.getRoomSession(room);
        const keys = options.isEncrypted ? new MediaKeys(session) : undefined;
        const call = new Call(session, caller, await ownTransport(client), options, keys);
        await call.connect(call.transport);
        if (!options.isGhost) {
            await call.announce();
            await call.own.publish();
        }
        session.on(MatrixRTCSessionEvent.MembershipsChanged, call.onMemberships);
        await call.follow();
        return call;
    }

    /** Leaves the room's call and the SFUs. */
    async hangUp(): Promise<void> {
        this.hasLeft = true;
        this.session.off(MatrixRTCSessionEvent.MembershipsChanged, this.onMemberships);
        await Promise.all([this.session.leaveRoomSession(10_000), ...this.connections.map((sfu) => sfu.close())]);
    }

    get connections(): Sfu[] {
        return [...this.sfus.values()];
    }

    /** The connection that we publish on. */
    get own(): Sfu {
        const own = this.sfus.get(this.transport.livekit_service_url);
        if (!own) throw new Error("there is no call");
        return own;
    }

    /** Turns a source of ours on or off, without unpublishing it. */
    async mute(source: Track.Source.Microphone | Track.Source.Camera, isMuted: boolean): Promise<void> {
        const me = this.own.room.localParticipant;
        if (source === Track.Source.Camera) await me.setCameraEnabled(!isMuted);
        else await me.setMicrophoneEnabled(!isMuted);
    }

    private async announce(): Promise<void> {
        const { session, caller, options } = this;
        const identity = {
            userId: caller.client.getUserId()!,
            deviceId: caller.client.getDeviceId()!,
            memberId: caller.memberId,
        };
        const hasJoined = new Promise<void>((resolve, reject) => {
            session.on(MembershipManagerEvent.StatusChanged, (_before: Status, now: Status) => {
                if (now === Status.Connected) resolve();
            });
            session.on(MatrixRTCSessionEvent.MembershipManagerError, (error) => {
                this.tell(`membership: ${error}`);
                reject(error);
            });
        });
        const delayMs = options.delegatesLeave ? DELEGATED_DELAY_MS : options.leaveDelayMs;
        session.joinRTCSession(identity, [], this.transport, {
            manageMediaKeys: options.isEncrypted,
            unstableSendStickyEvents: options.dialect !== "compatibility",
            delayedLeaveEventDelayMs: delayMs,
            delayedLeaveEventRestartMs: delayMs / 3,
            // As Element has it; the library's own default is longer.
            useKeyDelay: 1_000,
        });
        await hasJoined;
        if (!options.delegatesLeave) return;
        await this.handOver(delayMs);
        session.on(MembershipManagerEvent.DelayIdChanged, (delayId?: string) => {
            if (!delayId || this.hasLeft) return;
            delegateLeave(caller, this.transport, delayId, delayMs).catch((error) => this.tell(`leave: ${error}`));
        });
    }

    /**
     * Hands the delayed leave over. The library makes another one where it hears of the others before it hears of us: then the
     * first is cancelled, and the last one counts.
     */
    private async handOver(delayMs: number): Promise<void> {
        const deadline = Date.now() + HAND_OVER_MS;
        let refused: string | undefined;
        let problem: unknown = new Error("the membership has no delayed leave that could be handed over");
        while (Date.now() < deadline) {
            const { delayId } = this.session;
            if (delayId && delayId !== refused) {
                try {
                    return await delegateLeave(this.caller, this.transport, delayId, delayMs);
                } catch (error) {
                    [refused, problem] = [delayId, error];
                }
            }
            await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
        }
        throw problem;
    }

    /** Connects to every SFU that a member publishes on, and lets go of those that nobody uses. */
    private async follow(): Promise<void> {
        if (this.hasLeft) return;
        const used = new Set([this.transport.livekit_service_url]);
        for (const membership of this.session.memberships) {
            const transport = this.transportOf(membership);
            if (!transport) continue;
            used.add(transport.livekit_service_url);
            const serverName = membership.userId.slice(membership.userId.indexOf(":") + 1);
            this.connect(transport, serverName).catch((error) => this.tell(`${serverName}: ${error}`));
        }
        for (const [url, sfu] of this.sfus) {
            if (used.has(url)) continue;
            this.sfus.delete(url);
            await sfu.close();
        }
    }

    private transportOf(membership: CallMembership): LivekitTransport | undefined {
        const oldest = this.session.getOldestMembership();
        const transport = oldest && membership.getTransport(oldest);
        return transport && isLivekit(transport) ? transport : undefined;
    }

    private async connect(transport: LivekitTransport, serverName?: string): Promise<void> {
        const url = transport.livekit_service_url;
        if (this.sfus.has(url)) return;
        const { capture, tileWidth } = this.options;
        const sfu = new Sfu({
            transport,
            token: () => sfuToken(this.caller, transport, serverName),
            capture,
            tileWidth,
            onProblem: (problem) => this.tell(problem),
            ...(this.keys ? { keys: this.keys } : {}),
        });
        this.sfus.set(url, sfu);
        try {
            await sfu.connect();
        } catch (error) {
            this.sfus.delete(url);
            throw error;
        }
    }

    private tell(problem: string): void {
        this.problems.push(problem);
    }
}
