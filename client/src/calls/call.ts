// The call this device is in: one membership in the room, one connection to each SFU that a member publishes on.

import { type Participant, type RemoteParticipant, type RemoteTrackPublication, Track } from "livekit-client";
import type { MatrixClient, Room } from "matrix-js-sdk/lib/matrix";
import {
  type CallMembership,
  type MatrixRTCSession,
  MatrixRTCSessionEvent,
} from "matrix-js-sdk/lib/matrixrtc";
import { asUserId, type UserId } from "~/matrix/ids";
import { type LivekitTransport, ownTransport, sfuToken } from "./dialect";
import { Hearing } from "./hearing";
import { MediaKeys } from "./media-keys";
import { roomOptions } from "./media-options";
import { Membership } from "./membership";
import { Meter } from "./meter";
import { OwnMedia } from "./own-media";
import { loadPolicy, type MediaPolicy } from "./policy";
import { Reach } from "./reach";
import { type CallSettings, callSettings } from "./settings";
import { Sfu, STATE_TOPIC } from "./sfu";
import { Speaking } from "./speaking";
import { type MemberKey, memberKey } from "./types";

/** How often levels are looked at: twice within the time in which a ring must light up. */
const LEVELS_EVERY_MS = 60;
/** How many looks in a row must find the connection too slow for video: estimates begin low. */
const SLOW_LOOKS = 4;

interface CallOptions {
  client: MatrixClient;
  room: Room;
  isMuted: boolean;
  withCamera: boolean;
  onChange: () => void;
  onEnd: (kind: "removed" | "elsewhere" | "lost") => void;
}

export class Call {
  readonly joinedTs = Date.now();
  readonly own: OwnMedia;
  readonly hearing: Hearing;
  readonly watched = new Set<MemberKey>();
  readonly deafened = new Set<MemberKey>();
  pinned: MemberKey | undefined;
  isAnnounced = false;
  loudest = 0;
  private readonly sfus = new Map<string, Sfu>();
  private readonly home: Sfu;
  private membership: Membership | undefined;
  private readonly reach = new Reach(() => this.follow());
  private readonly speaking = new Speaking();
  private readonly meters = new Map<MediaStreamTrack, Meter>();
  private audioContext: AudioContext | undefined;
  private readonly closers: (() => void)[] = [];
  private wasMutedBefore = false;
  private hasLeft = false;
  private slowLooks = 0;

  private constructor(
    private readonly options: CallOptions,
    readonly session: MatrixRTCSession,
    private readonly transport: LivekitTransport,
    private readonly policy: MediaPolicy,
    private readonly keys: MediaKeys | undefined,
  ) {
    this.hearing = new Hearing({
      settings: callSettings.getState,
      userOf: (identity) => this.userOf(identity),
      audio: () => this.audio(),
    });
    this.home = this.addSfu(transport);
    this.own = new OwnMedia({
      room: this.home.room,
      policy,
      isEncrypted: keys !== undefined,
      settings: callSettings.getState,
      audio: () => this.audio(),
      onChange: options.onChange,
    });
  }

  /** Prepares a call; `enter` joins it. */
  static async prepare(options: CallOptions): Promise<Call> {
    const { client, room } = options;
    const [transport, policy] = await Promise.all([ownTransport(client), loadPolicy(client, room.roomId)]);
    if (!transport) throw new Error("the homeserver offers no SFU");
    const session = client.matrixRTC.getRoomSession(room);
    const keys = room.hasEncryptionStateEvent() ? new MediaKeys(session) : undefined;
    return new Call(options, session, transport, policy, keys);
  }

  /**
   * Connects to our own SFU, tells the room, and publishes. In this order the SFU's room is there when others see the
   * membership, and in an encrypted call the key when the first frame is sent.
   */
  async enter(): Promise<void> {
    const { client, isMuted, withCamera } = this.options;
    await this.home.connect();
    if (this.hasLeft) return;
    this.membership = new Membership({
      client,
      session: this.session,
      transport: this.transport,
      isEncrypted: this.keys !== undefined,
      intent: withCamera ? "video" : "audio",
      onLost: () => this.options.onEnd("lost"),
    });
    const telling = this.membership.announce().then(() => {
      this.isAnnounced = true;
    });
    if (this.keys) await telling;
    await Promise.all([telling, this.own.openMicrophone(isMuted)]);
    if (withCamera) await this.own.setCamera(true);
    if (this.hasLeft) return;
    const onMemberships = () => this.follow();
    this.session.on(MatrixRTCSessionEvent.MembershipsChanged, onMemberships);
    this.closers.push(() => this.session.off(MatrixRTCSessionEvent.MembershipsChanged, onMemberships));
    this.closers.push(callSettings.subscribe((now, before) => void this.onSettings(now, before)));
    // The SFU learns at once that we are gone, and the server with it.
    const onPageHide = () => {
      for (const { room } of this.connections) void room.disconnect();
    };
    window.addEventListener("pagehide", onPageHide);
    this.closers.push(() => window.removeEventListener("pagehide", onPageHide));
    const timer = setInterval(() => this.listen(), LEVELS_EVERY_MS);
    this.closers.push(() => clearInterval(timer));
    this.follow();
  }

  /** Leaves the call in the room and at the SFUs. */
  async leave(): Promise<void> {
    if (this.hasLeft) return;
    this.hasLeft = true;
    for (const close of this.closers.splice(0)) close();
    for (const meter of this.meters.values()) meter.close();
    this.reach.close();
    this.keys?.close();
    await Promise.allSettled([this.membership?.withdraw(), ...this.connections.map((sfu) => sfu.close())]);
    await this.audioContext?.close().catch(() => {});
  }

  get connections(): readonly Sfu[] {
    return [...this.sfus.values()];
  }

  get isEncrypted(): boolean {
    return this.keys !== undefined;
  }

  get isReconnecting(): boolean {
    return this.home.isReconnecting || this.session.probablyLeft === true;
  }

  /** Who sends to an SFU that we do not reach: neither heard nor seen. */
  get unheard(): readonly UserId[] {
    const found = new Set<UserId>();
    for (const membership of this.session.memberships) {
      const url = this.transportOf(membership)?.livekit_service_url;
      // Without our own we are not in the call at all, which the phase says.
      if (url === undefined || url === this.transport.livekit_service_url) continue;
      if (this.reach.isOut(url) || this.sfus.get(url)?.isLost === true)
        found.add(asUserId(membership.userId));
    }
    return [...found];
  }

  get needsClick(): boolean {
    return this.connections.some(({ room }) => room.state === "connected" && !room.canPlaybackAudio);
  }

  /** Ends our video where the policy says that so little is left to audio alone. */
  async spareAudio(bitrate: number | undefined): Promise<void> {
    const isTooLittle = bitrate !== undefined && bitrate < this.policy.video.off_below_bitrate;
    this.slowLooks = isTooLittle && this.own.hasCamera ? this.slowLooks + 1 : 0;
    if (this.slowLooks < SLOW_LOOKS) return;
    this.slowLooks = 0;
    await this.own.stopSlowCamera();
  }

  /** Lets sounds play, from within a click. */
  async startAudio(): Promise<void> {
    await Promise.all([this.audio().resume(), ...this.connections.map(({ room }) => room.startAudio())]);
    this.options.onChange();
  }

  /** Hears nobody, and is not heard either; afterwards the microphone is as it was. */
  async setDeafened(isDeafened: boolean): Promise<void> {
    if (isDeafened) this.wasMutedBefore = this.own.isMuted;
    this.hearing.isDeafened = isDeafened;
    for (const participant of this.remotes()) this.hearing.apply(participant);
    // A key to talk that was let go meanwhile is not held any more.
    await this.own.setMuted(isDeafened || this.wasMutedBefore || callSettings.getState().pushToTalk);
    await this.tellState();
    this.options.onChange();
  }

  setWatched(key: MemberKey, isWatched: boolean): void {
    if (isWatched) this.watched.add(key);
    else this.watched.delete(key);
    this.subscribe();
  }

  setPinned(key: MemberKey | undefined): void {
    this.pinned = key;
    this.subscribe();
  }

  isSpeaking(key: MemberKey): boolean {
    return this.speaking.has(key);
  }

  /** The participant of this member, on whichever SFU they publish. */
  participantOf(key: MemberKey): Participant | undefined {
    return this.participants().get(key);
  }

  /** Everybody whom the SFUs know, with a membership or not. Who listens on several SFUs is in each, and sends on one. */
  participants(): ReadonlyMap<MemberKey, Participant> {
    const found = new Map<MemberKey, Participant>();
    for (const participant of [this.home.room.localParticipant, ...this.remotes()]) {
      if (!participant.identity) continue;
      const key = this.keyOf(participant.identity);
      if ((found.get(key)?.trackPublications.size ?? 0) === 0) found.set(key, participant);
    }
    return found;
  }

  userOf(identity: string): string {
    return this.memberOf(identity)?.userId ?? identity.slice(0, identity.lastIndexOf(":"));
  }

  private keyOf(identity: string): MemberKey {
    const member = this.memberOf(identity);
    if (member) return memberKey(member.userId, member.deviceId);
    // In the dialect of most clients the identity is the user and the device in clear.
    const colon = identity.lastIndexOf(":");
    return memberKey(identity.slice(0, colon), identity.slice(colon + 1));
  }

  private memberOf(identity: string): CallMembership | undefined {
    return this.session.memberships.find((member) => member.rtcBackendIdentity === identity);
  }

  private remotes(): RemoteParticipant[] {
    return this.connections.flatMap(({ room }) => [...room.remoteParticipants.values()]);
  }

  private subscribe(): void {
    for (const sfu of this.sfus.values()) sfu.subscribe();
    this.options.onChange();
  }

  /** Sound always; cameras unless bandwidth is low; screens only of those whom one wants to watch. */
  private wants(participant: RemoteParticipant, publication: RemoteTrackPublication): boolean {
    const key = this.keyOf(participant.identity);
    switch (publication.source) {
      case Track.Source.ScreenShare:
      case Track.Source.ScreenShareAudio:
        return this.watched.has(key);
      case Track.Source.Camera:
        return !callSettings.getState().lowBandwidth || this.pinned === key;
      default:
        return true;
    }
  }

  /** Connects to every SFU that a member publishes on, and lets go of those that nobody uses. */
  private follow(): void {
    if (this.hasLeft) return;
    const used = new Set([this.transport.livekit_service_url]);
    for (const membership of this.session.memberships) {
      const transport = this.transportOf(membership);
      if (!transport) continue;
      const url = transport.livekit_service_url;
      used.add(url);
      if (!this.sfus.has(url) && this.reach.mayTry(url)) void this.connectTo(transport);
    }
    this.reach.keep(used);
    for (const [url, sfu] of this.sfus) {
      if (used.has(url)) continue;
      this.sfus.delete(url);
      void sfu.close();
    }
    this.options.onChange();
  }

  private async connectTo(transport: LivekitTransport): Promise<void> {
    const url = transport.livekit_service_url;
    const sfu = this.addSfu(transport);
    try {
      await sfu.connect();
      this.reach.reached(url);
    } catch {
      this.giveUp(url, sfu);
    }
    this.options.onChange();
  }

  /** Another company's SFU is out of reach: it is tried again later, from the beginning. */
  private giveUp(url: string, sfu: Sfu): void {
    if (this.hasLeft || this.sfus.get(url) !== sfu) return;
    this.sfus.delete(url);
    void sfu.close();
    this.reach.failed(url);
    this.options.onChange();
  }

  /** Where a member publishes, if it is an SFU that we can speak with. */
  private transportOf(membership: CallMembership): LivekitTransport | undefined {
    const oldest = this.session.getOldestMembership();
    const transport = oldest && membership.getTransport(oldest);
    if (transport?.type !== "livekit" || typeof transport.livekit_service_url !== "string") return undefined;
    return transport as LivekitTransport;
  }

  private addSfu(transport: LivekitTransport): Sfu {
    const { client, room, onChange, onEnd } = this.options;
    const isHome = transport.livekit_service_url === this.transport.livekit_service_url;
    const sfu = new Sfu({
      transport,
      token: () => sfuToken(client, room.roomId, transport),
      room: roomOptions(callSettings.getState(), this.policy),
      keys: this.keys,
      onChange,
      wants: (participant, publication) => this.wants(participant, publication),
      onAudio: (participant, publication) => this.hearing.applyTo(participant, publication),
      onData: (identity, payload) => this.onState(identity, payload),
      onArrival: () => {
        if (this.hearing.isDeafened) void this.tellState();
      },
      onReturn: () => (isHome ? this.own.restore() : Promise.resolve()),
      onEnd: (kind) => {
        if (isHome) onEnd(kind);
        else if (kind === "lost") this.giveUp(transport.livekit_service_url, sfu);
      },
    });
    this.sfus.set(transport.livekit_service_url, sfu);
    return sfu;
  }

  private async onSettings(now: CallSettings, before: CallSettings): Promise<void> {
    for (const participant of this.remotes()) this.hearing.apply(participant);
    if (now.lowBandwidth !== before.lowBandwidth) this.subscribe();
    await this.own.follow(now, before);
  }

  /** Says to the others that we do not hear them: a courtesy, sent beside the media. */
  private async tellState(): Promise<void> {
    const payload = new TextEncoder().encode(JSON.stringify({ deafened: this.hearing.isDeafened }));
    // Who may only listen may send no data.
    await this.home.room.localParticipant
      .publishData(payload, { reliable: true, topic: STATE_TOPIC })
      .catch(() => {});
  }

  private onState(identity: string, payload: Uint8Array): void {
    const key = this.keyOf(identity);
    if (isDeafenedIn(payload)) this.deafened.add(key);
    else this.deafened.delete(key);
    this.options.onChange();
  }

  private audio(): AudioContext {
    this.audioContext ??= new AudioContext();
    return this.audioContext;
  }

  private listen(): void {
    const levels = new Map<string, number>();
    const open = new Set<MediaStreamTrack>();
    for (const [key, participant] of this.participants()) {
      const publication = participant.getTrackPublication(Track.Source.Microphone);
      const track = publication?.track?.mediaStreamTrack;
      if (!track || publication.isMuted) continue;
      open.add(track);
      const meter = this.meters.get(track) ?? new Meter(this.audio(), track);
      this.meters.set(track, meter);
      // A context that the browser has not let start hears nothing; the SFU does.
      const isDeaf = this.audio().state !== "running";
      levels.set(key, isDeaf ? participant.audioLevel : meter.level());
    }
    for (const [track, meter] of this.meters) {
      if (open.has(track)) continue;
      meter.close();
      this.meters.delete(track);
    }
    this.loudest = Math.max(0, ...levels.values());
    if (this.speaking.hear(levels, performance.now())) this.options.onChange();
  }
}

function isDeafenedIn(payload: Uint8Array): boolean {
  try {
    const state: unknown = JSON.parse(new TextDecoder().decode(payload));
    return typeof state === "object" && state !== null && "deafened" in state && state.deafened === true;
  } catch {
    return false;
  }
}
