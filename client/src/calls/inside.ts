// What the SFUs know of the members of a call.

import { ConnectionQuality, type Participant, Track } from "livekit-client";
import type { Call } from "./call";
import type { Inside } from "./outline";
import type { MemberKey, Quality } from "./types";

const QUALITIES: Record<ConnectionQuality, Quality> = {
  [ConnectionQuality.Excellent]: "excellent",
  [ConnectionQuality.Good]: "good",
  [ConnectionQuality.Poor]: "poor",
  [ConnectionQuality.Lost]: "lost",
  [ConnectionQuality.Unknown]: "unknown",
};

export const qualityIn = (participant: Participant): Quality => QUALITIES[participant.connectionQuality];

/** What the SFUs know, by member. */
export function insideOf(call: Call): Map<MemberKey, Inside> {
  return new Map([...call.participants()].map(([key, participant]) => [key, look(call, key, participant)]));
}

function look(call: Call, key: MemberKey, participant: Participant): Inside {
  const camera = participant.getTrackPublication(Track.Source.Camera);
  const screen = participant.getTrackPublication(Track.Source.ScreenShare);
  return {
    isSpeaking: call.isSpeaking(key),
    isMuted: !participant.isMicrophoneEnabled,
    isDeafened: participant.isLocal ? call.hearing.isDeafened : call.deafened.has(key),
    hasCamera: participant.isCameraEnabled,
    isSharing: participant.isScreenShareEnabled,
    cameraTrack: camera?.track && !camera.isMuted ? camera.track.sid : undefined,
    screenTrack: screen?.track ? screen.track.sid : undefined,
    quality: qualityIn(participant),
  };
}
