import { persist } from "zustand/middleware";
import { createStore } from "zustand/vanilla";

/** How this device takes part in calls. Empty device IDs stand for the system's default. */
export interface CallSettings {
  microphoneId: string;
  cameraId: string;
  speakerId: string;
  /** 1 leaves the microphone as it is; up to 2. */
  inputGain: number;
  echoCancellation: boolean;
  noiseSuppression: boolean;
  autoGainControl: boolean;
  /** Stereo, with no filter at all. */
  musicMode: boolean;
  pushToTalk: boolean;
  /** `KeyboardEvent.code` of the key to hold. */
  pushToTalkKey: string;
  lowBandwidth: boolean;
  joinsMuted: boolean;
  /** Shows devices and levels before a voice channel is joined from the list. */
  looksFirst: boolean;
  ringSound: boolean;
  /** By user: 1 is as it comes, up to 2. */
  volumes: Readonly<Record<string, number>>;
  /** By user: the volume of what their screen sounds like. */
  shareVolumes: Readonly<Record<string, number>>;
  /** Whom one does not want to hear. */
  silenced: readonly string[];
}

export const VOLUME_MAX = 2;
/** Volumes remembered; the oldest make room. */
const REMEMBERED_MAX = 200;

export const callSettings = createStore<CallSettings>()(
  persist(
    (): CallSettings => ({
      microphoneId: "",
      cameraId: "",
      speakerId: "",
      inputGain: 1,
      echoCancellation: true,
      noiseSuppression: true,
      autoGainControl: true,
      musicMode: false,
      pushToTalk: false,
      pushToTalkKey: "Backquote",
      lowBandwidth: false,
      joinsMuted: false,
      looksFirst: false,
      ringSound: true,
      volumes: {},
      shareVolumes: {},
      silenced: [],
    }),
    { name: "echorift.calls" },
  ),
);

/** The record with this volume in it, and with as many others as are worth keeping. */
export function withVolume(
  volumes: Readonly<Record<string, number>>,
  userId: string,
  volume: number,
): Readonly<Record<string, number>> {
  const others = Object.entries(volumes).filter(([other]) => other !== userId);
  const bounded = Math.min(VOLUME_MAX, Math.max(0, volume));
  return Object.fromEntries([...others, [userId, bounded] as const].slice(-REMEMBERED_MAX));
}
