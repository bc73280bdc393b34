import { type MatrixEvent, MatrixEventEvent, Method, type Room, RoomEvent } from "matrix-js-sdk/lib/matrix";
import type { SessionContext } from "~/matrix/context";
import { asRoomId, asUserId, type RoomId, type UserId } from "~/matrix/ids";
import { DerivedSlice } from "~/matrix/slice";
import type { Call } from "./call";
import { CallRooms } from "./call-rooms";
import { describeCall, isSameCall } from "./current";
import { keepSame, listMembers } from "./outline";
import { PoorWatch, qualityOf, worse } from "./quality";
import { REACTION_TYPE, Reactions } from "./reactions";
import { Ringing } from "./ringing";
import { type CallSettings, callSettings } from "./settings";
import {
  type CallMember,
  type CallStats,
  type CurrentCall,
  type EndedCall,
  type MemberKey,
  memberKey,
} from "./types";
import { attachVideo, type VideoSource } from "./video";

const STATS_EVERY_MS = 2_000;
const NO_STATS: CallStats = { quality: "unknown", roundTripMs: undefined, streams: [], sfus: [] };

/** The code of a running call, with LiveKit's library; fetched when somebody is about to join. */
const loadEngine = () => import("./engine");

/** Why one cannot join at all. */
export class CallsUnsupported extends Error {}

export interface JoinOptions {
  readonly withCamera?: boolean;
  /** As the settings have it if it is not said. */
  readonly isMuted?: boolean;
}

/** Whether this browser can take part in calls. */
export const supportsCalls = (): boolean =>
  typeof RTCPeerConnection !== "undefined" && navigator.mediaDevices !== undefined;

/** Calls of all rooms: who is in them, and the one that this device is in. */
export class Calls {
  /** Who is in a room's call, also for who is not. */
  readonly participants: DerivedSlice<readonly CallMember[], RoomId>;
  /** One key, `"rooms"`: where a call is running now. */
  readonly running: DerivedSlice<readonly RoomId[]>;
  readonly current: DerivedSlice<{ call: CurrentCall | undefined }>;
  readonly ended: DerivedSlice<{ ended: EndedCall | undefined }>;
  readonly stats: DerivedSlice<CallStats>;
  readonly ringing: Ringing;
  private readonly me: MemberKey;
  private readonly rooms: CallRooms;
  private readonly reactions: Reactions;
  private joining: { roomId: RoomId; joinedTs: number } | undefined;
  private call: Call | undefined;
  private engine: Awaited<ReturnType<typeof loadEngine>> | undefined;
  private endedNow: EndedCall | undefined;
  private statsNow: CallStats = NO_STATS;
  private poor = new PoorWatch();
  private offersLowBandwidth = false;
  private stopStats: () => void = () => {};

  constructor(private readonly context: SessionContext) {
    const { client, changes, onClose } = context;
    this.me = memberKey(client.getSafeUserId(), client.getDeviceId() ?? "");
    this.participants = new DerivedSlice(changes, (roomId, before) => keepSame(before, this.list(roomId)));
    this.running = new DerivedSlice(changes, () => this.rooms.running());
    this.current = new DerivedSlice(
      changes,
      () => ({ call: this.joining && describeCall(this.joining, this.call, this.offersLowBandwidth) }),
      (a, b) => isSameCall(a.call, b.call),
    );
    this.ended = new DerivedSlice(changes, () => ({ ended: this.endedNow }));
    this.stats = new DerivedSlice(changes, () => this.statsNow);
    this.rooms = new CallRooms(context, {
      onMembers: (roomId) => this.participants.invalidate(roomId),
      onRunning: () => this.running.invalidate("rooms"),
    });
    this.reactions = new Reactions(() => this.touch());
    this.ringing = new Ringing(context, (roomId) => this.list(roomId));
    // Nobody waits alone for who has said no.
    this.ringing.onNoAnswer = (roomId) => {
      if (this.joining?.roomId === roomId && this.list(roomId).every(({ isMe }) => isMe)) void this.leave();
    };
    const onMembership = (room: Room) => this.onMembership(room);
    const onTimeline = (event: MatrixEvent) => this.onEvent(event);
    client.on(RoomEvent.MyMembership, onMembership);
    client.on(RoomEvent.Timeline, onTimeline);
    client.on(MatrixEventEvent.Decrypted, onTimeline);
    const stopSettings = callSettings.subscribe(() => this.current.invalidate("current"));
    onClose(() => {
      client.off(RoomEvent.MyMembership, onMembership);
      client.off(RoomEvent.Timeline, onTimeline);
      client.off(MatrixEventEvent.Decrypted, onTimeline);
      stopSettings();
      void this.leave();
    });
  }

  /** Fetches what a call needs, so that joining takes no longer than it must. */
  prepare(): void {
    if (supportsCalls()) void loadEngine().catch(() => {});
  }

  /** Joins a room's call, and leaves the one before. Settles when we are in; fails with the cause. */
  async join(roomId: RoomId, { withCamera = false, isMuted }: JoinOptions = {}): Promise<void> {
    if (!supportsCalls()) throw new CallsUnsupported();
    if (this.joining?.roomId === roomId) return;
    await this.leave();
    const room = this.context.client.getRoom(roomId);
    if (!room) throw new Error("this account is not in the room");
    const joining = { roomId, joinedTs: Date.now() };
    this.joining = joining;
    this.endedNow = undefined;
    this.ended.invalidate("ended");
    this.touch();
    const { joinsMuted, pushToTalk } = callSettings.getState();
    try {
      this.engine = await loadEngine();
      const call = await this.engine.Call.prepare({
        client: this.context.client,
        room,
        isMuted: (isMuted ?? joinsMuted) || pushToTalk,
        withCamera,
        onChange: () => this.touch(),
        onEnd: (kind) => void this.end({ roomId, kind, by: undefined, reason: undefined }),
      });
      if (this.joining !== joining) return await call.leave();
      this.call = call;
      await call.enter();
      if (this.joining !== joining) return await call.leave();
      this.startStats(call);
      this.touch();
    } catch (error) {
      // Whoever has left meanwhile does not want to know why it failed.
      if (this.joining !== joining) return;
      await this.leave();
      throw error;
    }
  }

  /** Joins the call of a direct message and lets it ring at the other one. */
  async callPerson(roomId: RoomId, userId: UserId, hasVideo: boolean): Promise<void> {
    await this.join(roomId, { withCamera: hasVideo });
    if (this.joining?.roomId !== roomId) return;
    if (this.list(roomId).every(({ isMe }) => isMe)) await this.ringing.ring(roomId, userId, hasVideo);
  }

  /** Leaves the call, if there is one. */
  async leave(): Promise<void> {
    const { call, joining } = this;
    if (joining) this.ringing.stop(joining.roomId);
    this.call = undefined;
    this.joining = undefined;
    this.stopStats();
    this.poor = new PoorWatch();
    this.offersLowBandwidth = false;
    this.statsNow = NO_STATS;
    this.stats.invalidate("stats");
    this.current.invalidate("current");
    if (joining) this.participants.invalidate(joining.roomId);
    await call?.leave();
  }

  dismissEnded(): void {
    this.endedNow = undefined;
    this.ended.invalidate("ended");
  }

  async setMuted(isMuted: boolean): Promise<void> {
    const { call } = this;
    if (!call) return;
    // Who speaks again wants to hear the answer.
    if (!isMuted && call.hearing.isDeafened) await call.setDeafened(false);
    await call.own.setMuted(isMuted);
  }

  async setDeafened(isDeafened: boolean): Promise<void> {
    await this.call?.setDeafened(isDeafened);
  }

  async setCamera(isOn: boolean): Promise<void> {
    await this.call?.own.setCamera(isOn);
  }

  async setScreen(isShared: boolean): Promise<void> {
    await this.call?.own.setScreen(isShared);
  }

  /** Watches somebody's shared screen, or no longer. */
  watch(key: MemberKey, isWatched: boolean): void {
    this.call?.setWatched(key, isWatched);
  }

  pin(key: MemberKey | undefined): void {
    this.call?.setPinned(key);
  }

  /** Lets sounds play, from within a click. */
  async startAudio(): Promise<void> {
    await this.call?.startAudio();
  }

  dismissLowBandwidth(): void {
    this.poor.dismiss();
    this.offersLowBandwidth = false;
    this.current.invalidate("current");
  }

  changeSettings(change: Partial<CallSettings>): void {
    callSettings.setState(change);
  }

  /** Shows a member's video in this element; the answer stops it. */
  showVideo(key: MemberKey, source: VideoSource, element: HTMLVideoElement): () => void {
    return this.call ? attachVideo(this.call, key, source, element) : () => {};
  }

  /** How loud the loudest speaker is right now, 0 to 1. */
  loudness(): number {
    return this.call?.loudest ?? 0;
  }

  /** Shows an emoji on our tile, at everybody's. */
  async react(emoji: string): Promise<void> {
    const { joining, call } = this;
    const own = call?.session.memberships.find(
      ({ userId, deviceId }) => memberKey(userId, deviceId) === this.me,
    );
    if (!joining || !own) return;
    await this.context.client.sendEvent(
      joining.roomId,
      REACTION_TYPE as never,
      {
        emoji,
        name: emoji,
        "m.relates_to": { rel_type: "m.reference", event_id: own.eventId },
      } as never,
    );
  }

  /** Mutes somebody for everybody; they can unmute themselves. For those who may kick (docs/call-access.md). */
  async muteForAll(roomId: RoomId, userId: UserId): Promise<void> {
    await this.moderate(roomId, userId, "mute");
  }

  /** Puts somebody out of the call; they may come back. */
  async putOut(roomId: RoomId, userId: UserId): Promise<void> {
    await this.moderate(roomId, userId, "remove");
  }

  private async moderate(roomId: RoomId, userId: UserId, action: "mute" | "remove"): Promise<void> {
    const path = `/client/v1/rooms/${encodeURIComponent(roomId)}/call/participants/${encodeURIComponent(userId)}/${action}`;
    await this.context.client.http.authedRequest(Method.Post, path, undefined, {}, { prefix: "/_echorift" });
  }

  private list(roomId: RoomId): CallMember[] {
    const session = this.rooms.sessionOf(roomId);
    const isInside = this.joining?.roomId === roomId && this.call && this.engine;
    return listMembers({
      memberships: session?.memberships ?? [],
      inside: isInside && this.call ? (this.engine?.insideOf(this.call) ?? new Map()) : new Map(),
      me: this.me,
      reactions: this.reactions.now(),
    });
  }

  private touch(): void {
    this.current.invalidate("current");
    if (this.joining) this.participants.invalidate(this.joining.roomId);
  }

  private async end(ended: EndedCall): Promise<void> {
    if (this.joining?.roomId !== ended.roomId) return;
    this.endedNow = ended;
    this.ended.invalidate("ended");
    await this.leave();
  }

  /** Whoever is no longer in the room is no longer in its call; the membership says why. */
  private onMembership(room: Room): void {
    const membership = room.getMyMembership();
    const roomId = asRoomId(room.roomId);
    const wasPutOut = this.endedNow?.roomId === roomId && this.endedNow.kind === "removed";
    if (membership === "join" || (this.joining?.roomId !== roomId && !wasPutOut)) return;
    const event = room.getMember(this.context.client.getSafeUserId())?.events.member;
    const sender = event?.getSender();
    const isByOthers = sender !== undefined && sender !== this.context.client.getSafeUserId();
    const ended: EndedCall = {
      roomId,
      kind: membership === "ban" ? "banned" : isByOthers ? "kicked" : "left",
      by: isByOthers ? asUserId(sender) : undefined,
      reason: String(event?.getContent().reason ?? "") || undefined,
    };
    if (wasPutOut) {
      this.endedNow = ended;
      this.ended.invalidate("ended");
    } else void this.end(ended);
  }

  private onEvent(event: MatrixEvent): void {
    const roomId = this.joining?.roomId;
    if (event.getType() !== REACTION_TYPE || roomId === undefined || event.getRoomId() !== roomId) return;
    const target = event.getRelation()?.event_id;
    const member = this.call?.session.memberships.find(
      ({ eventId, userId }) => eventId === target && userId === event.getSender(),
    );
    if (member) this.reactions.add(memberKey(member.userId, member.deviceId), event);
  }

  private startStats(call: Call): void {
    const { StatsReader, qualityIn } = this.engine ?? {};
    if (!StatsReader || !qualityIn) return;
    const reader = new StatsReader();
    const look = async () => {
      const { upBitrate, ...read } = await reader.read(call.connections, (identity) => call.userOf(identity));
      await call.spareAudio(upBitrate);
      const me = call.participantOf(this.me);
      const loss = Math.max(0, ...read.streams.map((stream) => stream.loss));
      const quality = worse(me ? qualityIn(me) : "unknown", qualityOf(read.roundTripMs, loss));
      this.statsNow = {
        quality: call.isReconnecting ? "lost" : quality,
        ...read,
        sfus: call.connections.map(({ host }) => host),
      };
      this.stats.invalidate("stats");
      const offers = this.poor.see(this.statsNow.quality, Date.now());
      if (offers !== this.offersLowBandwidth) {
        this.offersLowBandwidth = offers;
        this.current.invalidate("current");
      }
    };
    void look();
    const timer = setInterval(() => void look(), STATS_EVERY_MS);
    this.stopStats = () => clearInterval(timer);
  }
}
