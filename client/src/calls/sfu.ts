// The connection to one SFU: getting in, coming back, and what is subscribed there.

import {
  DisconnectReason,
  type Participant,
  type RemoteParticipant,
  type RemoteTrackPublication,
  Room,
  RoomEvent,
  type RoomOptions,
  Track,
} from "livekit-client";
import E2eeWorker from "livekit-client/e2ee-worker?worker";
import { type LivekitTransport, type SfuToken, TokenError } from "./dialect";
import type { MediaKeys } from "./media-keys";

/** How often a lost SFU is tried again, and the pauses between: from the first to the longest, doubled each time. */
const ATTEMPTS_MAX = 20;
const PAUSE_FIRST_MS = 500;
const PAUSE_MAX_MS = 10_000;
/** Data of ours that tells others whether we hear them. */
export const STATE_TOPIC = "org.echorift.call.state";

/** After these nobody comes back by themselves. */
const FINAL: ReadonlySet<DisconnectReason> = new Set([
  DisconnectReason.CLIENT_INITIATED,
  DisconnectReason.DUPLICATE_IDENTITY,
  DisconnectReason.PARTICIPANT_REMOVED,
]);

interface SfuOptions {
  transport: LivekitTransport;
  token: () => Promise<SfuToken>;
  room: RoomOptions;
  keys: MediaKeys | undefined;
  /** Something that views show may have changed. */
  onChange: () => void;
  onData: (identity: string, payload: Uint8Array) => void;
  /** Somebody new: they do not know yet what we have told the others. */
  onArrival: () => void;
  /** Decides for each publication of others whether it is wanted. */
  wants: (participant: RemoteParticipant, publication: RemoteTrackPublication) => boolean;
  onAudio: (participant: RemoteParticipant, publication: RemoteTrackPublication) => void;
  /** Publishes what was published before, after everything was lost. */
  onReturn: () => Promise<void>;
  /** The SFU does not let us stay or come back. */
  onEnd: (reason: "removed" | "elsewhere" | "lost") => void;
}

export class Sfu {
  readonly room: Room;
  /** The host of the SFU, once we know it. */
  host = "";
  private readonly worker: Worker | undefined;
  private isClosed = false;
  private isReturning = false;

  constructor(private readonly options: SfuOptions) {
    this.worker = options.keys ? new E2eeWorker() : undefined;
    this.room = new Room({
      ...options.room,
      // `e2ee` encrypts media only; the newer option encrypts data as well, which other clients could not read.
      ...(options.keys && this.worker ? { e2ee: { keyProvider: options.keys, worker: this.worker } } : {}),
    });
    this.listen();
  }

  /** It was connected, and has not come back yet. */
  get isLost(): boolean {
    return this.isReturning;
  }

  get isReconnecting(): boolean {
    return this.isReturning || this.room.state !== "connected";
  }

  async connect(): Promise<void> {
    const { url, jwt } = await this.options.token();
    this.host = new URL(url).host;
    if (this.options.keys) await this.room.setE2EEEnabled(true);
    await this.room.connect(url, jwt, { autoSubscribe: false });
    this.subscribe();
  }

  /** Looks again at everything that others publish here. */
  subscribe(): void {
    for (const participant of this.room.remoteParticipants.values()) {
      for (const publication of participant.trackPublications.values()) this.judge(publication, participant);
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.room.disconnect();
    this.worker?.terminate();
  }

  private listen(): void {
    const { onChange, onData, onArrival } = this.options;
    const told = [
      RoomEvent.ParticipantDisconnected,
      RoomEvent.TrackUnpublished,
      RoomEvent.TrackMuted,
      RoomEvent.TrackUnmuted,
      RoomEvent.LocalTrackPublished,
      RoomEvent.LocalTrackUnpublished,
      RoomEvent.ConnectionStateChanged,
      RoomEvent.ConnectionQualityChanged,
      RoomEvent.ParticipantPermissionsChanged,
      RoomEvent.AudioPlaybackStatusChanged,
    ] as const;
    for (const event of told) this.room.on(event, () => onChange());
    this.room
      .on(RoomEvent.ParticipantConnected, () => {
        onArrival();
        onChange();
      })
      .on(RoomEvent.TrackPublished, (publication, participant) => {
        this.judge(publication, participant);
        onChange();
      })
      .on(RoomEvent.TrackSubscribed, (track, publication, participant) => {
        if (track.kind === Track.Kind.Audio) {
          track.attach();
          this.options.onAudio(participant, publication);
        }
        onChange();
      })
      .on(RoomEvent.TrackUnsubscribed, (track) => {
        for (const element of track.detach()) if (track.kind === Track.Kind.Audio) element.remove();
        onChange();
      })
      .on(RoomEvent.DataReceived, (payload, participant, _kind, topic) => {
        if (participant && topic === STATE_TOPIC) onData(participant.identity, payload);
      })
      .on(RoomEvent.Disconnected, (reason) => void this.comeBack(reason));
  }

  private judge(publication: RemoteTrackPublication, participant: Participant): void {
    const isWanted = this.options.wants(participant as RemoteParticipant, publication);
    if (publication.isDesired !== isWanted) publication.setSubscribed(isWanted);
  }

  /** The library has given up. The SFU may have lost the room, so a fresh token is what brings us back. */
  private async comeBack(reason?: DisconnectReason): Promise<void> {
    if (this.isClosed || this.isReturning) return;
    if (reason !== undefined && FINAL.has(reason)) {
      if (reason === DisconnectReason.PARTICIPANT_REMOVED) this.options.onEnd("removed");
      if (reason === DisconnectReason.DUPLICATE_IDENTITY) this.options.onEnd("elsewhere");
      return;
    }
    this.isReturning = true;
    this.options.onChange();
    for (let attempt = 0; attempt < ATTEMPTS_MAX && !this.isClosed; attempt += 1) {
      try {
        await this.connect();
        this.isReturning = false;
        await this.options.onReturn();
        this.options.onChange();
        return;
      } catch (error) {
        if (error instanceof TokenError && (error.status === 401 || error.status === 403)) break;
        await pause(Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** attempt));
      }
    }
    this.isReturning = false;
    if (!this.isClosed) this.options.onEnd("lost");
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
