// What a call looks like from inside, as numbers that a test can wait for.

import type { RemoteTrackPublication } from "livekit-client";
import type { Call } from "./call";
import type { Sfu } from "./sfu";

/** Something that another participant publishes, as it arrives here. */
export interface Received {
    /** By the memberships; `undefined` for somebody without one. */
    userId: string | undefined;
    identity: string;
    source: string;
    isMuted: boolean;
    isSubscribed: boolean;
    bytes: number;
    /** Decoded frames, of video. */
    frames: number;
    height: number;
    codec: string;
    /** Grows with what is heard, not with what arrives. */
    audioEnergy: number;
    /** By what it comes from the SFU: `udp`, `tcp`. */
    protocol: string;
    isEncrypted: boolean | undefined;
}

/** One encoding of something that we publish. */
export interface Sent {
    source: string;
    /** The simulcast layer, `q`, `h` or `f`. */
    rid: string;
    isActive: boolean;
    bytes: number;
    height: number;
    codec: string;
    bitrate: number;
    bitrateMax: number;
}

export interface Report {
    members: { userId: string; deviceId: string; memberId: string; identity: string }[];
    sfus: { url: string; state: string; maySpeak: boolean }[];
    received: Received[];
    sent: Sent[];
    problems: string[];
}

export async function reportOf(call: Call): Promise<Report> {
    const members = call.session.memberships.map(({ userId, deviceId, memberId, rtcBackendIdentity }) => {
        return { userId, deviceId, memberId, identity: rtcBackendIdentity };
    });
    const userOf = (identity: string) => members.find((member) => member.identity === identity)?.userId;
    const received = call.connections.flatMap((sfu) =>
        sfu.publications().map(async ({ participant, publication }) => {
            const { identity } = participant;
            const isEncrypted = sfu.encryption.get(identity);
            return { userId: userOf(identity), identity, isEncrypted, ...(await arrival(publication)) };
        }),
    );
    return {
        members,
        sfus: call.connections.map(({ room, transport }) => ({
            url: transport.livekit_service_url,
            state: room.state,
            maySpeak: room.localParticipant.permissions?.canPublish ?? false,
        })),
        received: await Promise.all(received),
        sent: await departures(call.own),
        problems: [...call.problems],
    };
}

async function arrival(publication: RemoteTrackPublication): Promise<Omit<Received, "userId" | "identity" | "isEncrypted">> {
    const stats = await publication.track?.getRTCStatsReport();
    const inbound = find(stats, "inbound-rtp")[0];
    return {
        source: publication.source,
        isMuted: publication.isMuted,
        isSubscribed: publication.isSubscribed,
        bytes: inbound?.bytesReceived ?? 0,
        frames: inbound?.framesDecoded ?? 0,
        height: inbound?.frameHeight ?? 0,
        codec: codecOf(stats, inbound),
        audioEnergy: inbound?.totalAudioEnergy ?? 0,
        protocol: protocolOf(stats),
    };
}

async function departures({ room }: Sfu): Promise<Sent[]> {
    const sent = [];
    for (const { source, track } of room.localParticipant.trackPublications.values()) {
        const encodings = track?.sender?.getParameters().encodings ?? [];
        const stats = await track?.getRTCStatsReport();
        for (const outbound of find(stats, "outbound-rtp")) {
            const encoding = encodings.find(({ rid }) => rid === outbound.rid);
            sent.push({
                source,
                rid: outbound.rid ?? "",
                isActive: outbound.active ?? false,
                bytes: outbound.bytesSent ?? 0,
                height: outbound.frameHeight ?? 0,
                codec: codecOf(stats, outbound),
                bitrate: outbound.targetBitrate ?? 0,
                bitrateMax: encoding?.maxBitrate ?? 0,
            });
        }
    }
    return sent;
}

type Stats = Record<string, any>;

function find(report: RTCStatsReport | undefined, type: string): Stats[] {
    return [...(report?.values() ?? [])].filter((stats) => stats.type === type);
}

function protocolOf(report: RTCStatsReport | undefined): string {
    const pair = report?.get(find(report, "transport")[0]?.selectedCandidatePairId);
    return report?.get(pair?.localCandidateId)?.protocol ?? "";
}

function codecOf(report: RTCStatsReport | undefined, stream: Stats | undefined): string {
    return stream?.codecId ? (report?.get(stream.codecId)?.mimeType ?? "") : "";
}
