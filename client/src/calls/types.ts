import type { DeviceId, RoomId, UserId } from "~/matrix/ids";

/** One device of one person in a call. */
export type MemberKey = `${UserId}|${DeviceId}`;
export const memberKey = (userId: string, deviceId: string): MemberKey =>
  `${userId}|${deviceId}` as MemberKey;

export type Quality = "excellent" | "good" | "poor" | "lost" | "unknown";

/** Somebody in a call. What only the media connection tells is `undefined` for who looks from outside. */
export interface CallMember {
  readonly key: MemberKey;
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  /** When this device joined, ms since the epoch. */
  readonly joinedTs: number;
  readonly isMe: boolean;
  /** Seen by the SFU, but the room does not know of it yet. */
  readonly isJoining: boolean;
  readonly isSpeaking: boolean;
  readonly isMuted: boolean | undefined;
  readonly isDeafened: boolean;
  readonly hasCamera: boolean;
  readonly isSharing: boolean;
  /** Changes with the track that arrives; `undefined` while nothing does. */
  readonly cameraTrack: string | undefined;
  readonly screenTrack: string | undefined;
  readonly quality: Quality;
  /** The last thing they reacted with, for a moment. */
  readonly reaction: string | undefined;
}

type Phase = "connecting" | "connected" | "reconnecting";

/**
 * Why something is not sent: nothing there, the user or the system refused, another app has it, the room does not let us,
 * or the connection is too slow for it.
 */
export type Hindrance = "missing" | "denied" | "busy" | "forbidden" | "slow";

/** The call that this device is in. */
export interface CurrentCall {
  readonly roomId: RoomId;
  readonly phase: Phase;
  readonly joinedTs: number;
  readonly isMuted: boolean;
  readonly microphoneHindrance: Hindrance | undefined;
  readonly hasCamera: boolean;
  readonly cameraHindrance: Hindrance | undefined;
  readonly isSharing: boolean;
  readonly maySpeak: boolean;
  readonly mayShow: boolean;
  readonly mayShare: boolean;
  readonly isDeafened: boolean;
  readonly isPushToTalk: boolean;
  readonly isLowBandwidth: boolean;
  /** The connection has been poor for a while, and nobody has answered the offer yet. */
  readonly offersLowBandwidth: boolean;
  /** The browser lets nothing sound before the next click. */
  readonly needsClick: boolean;
  /** Whose sounds and pictures do not reach us, because the SFU that they send to cannot be reached. */
  readonly unheard: readonly UserId[];
  readonly isEncrypted: boolean;
  /** Whose shared screens are watched. */
  readonly watched: readonly MemberKey[];
  /** Who is kept large, and shown even with low bandwidth. */
  readonly pinned: MemberKey | undefined;
}

/** Why a call is over that one did not leave oneself. */
export interface EndedCall {
  readonly roomId: RoomId;
  readonly kind: "kicked" | "banned" | "left" | "removed" | "elsewhere" | "lost" | "failed";
  readonly by: UserId | undefined;
  readonly reason: string | undefined;
}

/** What one stream looks like on the wire. */
export interface StreamStats {
  readonly source: "microphone" | "camera" | "screen_share" | "screen_share_audio";
  /** Whose it is; `undefined` for what we send. */
  readonly from: UserId | undefined;
  readonly codec: string;
  readonly bitrate: number;
  readonly layers: readonly { readonly height: number; readonly fps: number; readonly bitrate: number }[];
  /** Share of packets lost, 0 to 1. */
  readonly loss: number;
  readonly jitterMs: number;
}

export interface CallStats {
  readonly quality: Quality;
  readonly roundTripMs: number | undefined;
  readonly streams: readonly StreamStats[];
  readonly sfus: readonly string[];
}

/** Somebody calls. */
export interface Ring {
  readonly roomId: RoomId;
  readonly eventId: string;
  readonly from: UserId;
  readonly hasVideo: boolean;
  /** When it is over, ms since the epoch. */
  readonly untilTs: number;
}

/** That we call, and what became of it. */
export interface Calling {
  readonly roomId: RoomId;
  readonly state: "ringing" | "declined" | "unanswered";
}
