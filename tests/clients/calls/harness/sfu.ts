// The connection to one SFU, with what is received there on the page.

import {
    DisconnectReason,
    type RemoteParticipant,
    type RemoteTrack,
    type RemoteTrackPublication,
    Room,
    RoomEvent,
    Track,
} from "livekit-client";
import type { LivekitTransport, SfuToken } from "./dialects";
import type { MediaKeys } from "./media-keys";
import { type Capture, mediaOptions, SCREEN } from "./media-options";

/** livekit-client's own worker, as the site serves it. */
const E2EE_WORKER = "/livekit-e2ee-worker.mjs";
/** How often a lost SFU is tried again, and after how long each time. */
const ATTEMPTS_MAX = 30;
const PAUSE_MS = 1_000;
/** After these nobody comes back by himself. */
const FINAL = [
    DisconnectReason.CLIENT_INITIATED,
    DisconnectReason.DUPLICATE_IDENTITY,
    DisconnectReason.PARTICIPANT_REMOVED,
];

export interface SfuOptions {
    transport: LivekitTransport;
    token: () => Promise<SfuToken>;
    capture: Capture;
    keys?: MediaKeys;
    /** Width of new tiles, in pixels. */
    tileWidth: number;
    onProblem: (problem: string) => void;
}

export class Sfu {
    readonly room: Room;
    readonly transport: LivekitTransport;
    /** Who was seen to encrypt, by identity. */
    readonly encryption = new Map<string, boolean>();
    private readonly options: SfuOptions;
    private readonly worker: Worker | undefined;
    private isClosed = false;
    private isPublisher = false;

    constructor(options: SfuOptions) {
        this.options = options;
        this.transport = options.transport;
        const media = mediaOptions(options.capture);
        if (options.keys) {
            this.worker = new Worker(E2EE_WORKER, { type: "module" });
            this.room = new Room({ ...media, e2ee: { keyProvider: options.keys, worker: this.worker } });
        } else {
            this.room = new Room(media);
        }
        this.room
            .on(RoomEvent.TrackSubscribed, (track) => this.show(track))
            .on(RoomEvent.TrackUnsubscribed, (track) => track.detach().forEach((element) => element.remove()))
            .on(RoomEvent.ParticipantEncryptionStatusChanged, (isEncrypted, participant) => {
                if (participant) this.encryption.set(participant.identity, isEncrypted);
            })
            .on(RoomEvent.EncryptionError, (error) => options.onProblem(`encryption: ${error.message}`))
            .on(RoomEvent.Disconnected, (reason) => void this.comeBack(reason));
    }

    async connect(): Promise<void> {
        const { url, jwt } = await this.options.token();
        if (this.options.keys) await this.room.setE2EEEnabled(true);
        await this.room.connect(url, jwt);
    }

    /** Publishes microphone and camera here, now and whenever we come back. */
    async publish(): Promise<void> {
        this.isPublisher = true;
        await this.room.localParticipant.setMicrophoneEnabled(true);
        await this.room.localParticipant.setCameraEnabled(true);
    }

    async close(): Promise<void> {
        this.isClosed = true;
        await this.room.disconnect();
        this.worker?.terminate();
    }

    /** In an encrypted call the codec is one that everybody decodes; else the one that suits screens. */
    async shareScreen(isShared: boolean): Promise<void> {
        const videoCodec = this.options.keys ? "vp8" : "vp9";
        await this.room.localParticipant.setScreenShareEnabled(isShared, SCREEN, { videoCodec });
    }

    /** Sizes the tiles of one participant: what adaptive streams ask of the SFU follows. */
    resizeTiles(identity: string, width: number): void {
        for (const publication of this.room.remoteParticipants.get(identity)?.videoTrackPublications.values() ?? []) {
            for (const element of publication.track?.attachedElements ?? []) element.style.width = `${width}px`;
        }
    }

    /** Everything that others publish here and we subscribe to. */
    publications(): { participant: RemoteParticipant; publication: RemoteTrackPublication }[] {
        return [...this.room.remoteParticipants.values()].flatMap((participant) =>
            [...participant.trackPublications.values()].map((publication) => ({ participant, publication })),
        );
    }

    private show(track: RemoteTrack): void {
        const element = track.attach();
        if (track.kind === Track.Kind.Video) {
            // The SFU is asked for what fills the tile.
            element.style.cssText = `width: ${this.options.tileWidth}px; aspect-ratio: 16 / 9`;
        }
        document.body.append(element);
    }

    /** The library has given up. The SFU may have lost the room, so a fresh token is what brings it back. */
    private async comeBack(reason?: DisconnectReason): Promise<void> {
        if (reason !== undefined && FINAL.includes(reason)) return;
        for (let attempt = 0; attempt < ATTEMPTS_MAX && !this.isClosed; attempt += 1) {
            try {
                await this.connect();
                if (this.isPublisher) await this.publish();
                return;
            } catch (error) {
                this.options.onProblem(`attempt ${attempt} to come back: ${error}`);
                await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
            }
        }
    }
}
