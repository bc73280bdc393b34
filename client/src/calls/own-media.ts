// What we send: microphone, camera, screen.

import {
  createLocalAudioTrack,
  LocalAudioTrack,
  type LocalTrack,
  MediaDeviceFailure,
  type Participant,
  type Room,
  Track,
  TrackEvent,
} from "livekit-client";
import { GainProcessor } from "./gain";
import {
  audioBitrate,
  audioCapture,
  audioPublish,
  screenCapture,
  screenPublish,
  videoCapture,
} from "./media-options";
import type { MediaPolicy } from "./policy";
import type { CallSettings } from "./settings";
import type { Hindrance } from "./types";

/** The SFU's numbers for what somebody may publish; an empty list allows everything. */
const SOURCE_NUMBERS = { camera: 1, microphone: 2, screen_share: 3 } as const;

interface OwnMediaOptions {
  room: Room;
  policy: MediaPolicy;
  isEncrypted: boolean;
  settings: () => CallSettings;
  audio: () => AudioContext;
  onChange: () => void;
}

export class OwnMedia {
  microphoneHindrance: Hindrance | undefined;
  cameraHindrance: Hindrance | undefined;
  private gain: GainProcessor | undefined;
  private wantsCamera = false;
  private wantsMuted = false;

  constructor(private readonly options: OwnMediaOptions) {}

  get isMuted(): boolean {
    return this.microphone?.isMuted ?? true;
  }

  get hasCamera(): boolean {
    return this.options.room.localParticipant.isCameraEnabled;
  }

  get isSharing(): boolean {
    return this.options.room.localParticipant.isScreenShareEnabled;
  }

  /** The microphone's track, whether it is heard or not. */
  get microphone(): LocalAudioTrack | undefined {
    const track = this.options.room.localParticipant.getTrackPublication(Track.Source.Microphone)?.track;
    return track instanceof LocalAudioTrack ? track : undefined;
  }

  may(source: keyof typeof SOURCE_NUMBERS): boolean {
    const { policy, room } = this.options;
    if (source === "camera" && !policy.video.enabled) return false;
    if (source === "screen_share" && !policy.screen_share.enabled) return false;
    return mayPublish(room.localParticipant, source);
  }

  /** Opens the microphone and sends it, silently if asked. Without one we listen, and say why. */
  async openMicrophone(isMuted: boolean): Promise<void> {
    const { room, policy, settings } = this.options;
    this.wantsMuted = isMuted;
    if (!this.may("microphone")) return this.hinder("microphone", "forbidden");
    try {
      const track = await createLocalAudioTrack(audioCapture(settings(), policy));
      if (isMuted) await track.mute();
      // Whom a moderator has muted comes back muted.
      track.on(TrackEvent.Muted, () => {
        this.wantsMuted = true;
      });
      await this.applyGain(track);
      // The library's own types disagree about exact optional properties here.
      await room.localParticipant.publishTrack(track as LocalTrack, {
        ...audioPublish(settings(), policy),
        source: Track.Source.Microphone,
      });
      this.hinder("microphone", undefined);
    } catch (error) {
      this.hinder("microphone", hindranceOf(error));
    }
  }

  async setMuted(isMuted: boolean): Promise<void> {
    this.wantsMuted = isMuted;
    const { microphone } = this;
    if (!microphone) {
      if (!isMuted) await this.openMicrophone(false);
    } else if (isMuted) await microphone.mute();
    else await microphone.unmute();
    this.options.onChange();
  }

  async setCamera(isOn: boolean): Promise<void> {
    const { room, policy, settings } = this.options;
    this.wantsCamera = isOn;
    if (isOn && !this.may("camera")) return this.hinder("camera", "forbidden");
    try {
      await room.localParticipant.setCameraEnabled(isOn, videoCapture(settings().cameraId, policy));
      this.hinder("camera", undefined);
    } catch (error) {
      this.wantsCamera = false;
      this.hinder("camera", hindranceOf(error));
    }
  }

  /** Turns the camera off because it takes what the sound needs, and says so. */
  async stopSlowCamera(): Promise<void> {
    await this.setCamera(false);
    this.hinder("camera", "slow");
  }

  /** Shares a screen that the user picks; tells whether one was picked. */
  async setScreen(isShared: boolean): Promise<boolean> {
    const { room, policy, isEncrypted } = this.options;
    try {
      await room.localParticipant.setScreenShareEnabled(
        isShared,
        screenCapture(policy),
        screenPublish(policy, isEncrypted),
      );
    } catch (error) {
      // Whoever closes the picker has changed their mind.
      if (hindranceOf(error) !== "denied") throw error;
    }
    this.options.onChange();
    return this.isSharing;
  }

  /** Publishes again what was published, after a new connection. */
  async restore(): Promise<void> {
    await this.openMicrophone(this.wantsMuted);
    if (this.wantsCamera) await this.setCamera(true);
  }

  /** Takes over what has changed in the settings, without joining anew. */
  async follow(now: CallSettings, before: CallSettings): Promise<void> {
    const { room, policy } = this.options;
    const { microphone } = this;
    if (microphone && hasOther(now, before, PROCESSING)) {
      await microphone.restartTrack(audioCapture(now, policy));
      await limitBitrate(microphone, audioBitrate(now, policy));
    }
    if (microphone && now.inputGain !== before.inputGain) await this.applyGain(microphone);
    if (now.cameraId !== before.cameraId && this.hasCamera) {
      await room.switchActiveDevice("videoinput", now.cameraId || "default");
    }
    if (now.speakerId !== before.speakerId) {
      await room.switchActiveDevice("audiooutput", now.speakerId || "default");
    }
    if (now.lowBandwidth && !before.lowBandwidth && this.hasCamera) await this.setCamera(false);
    this.options.onChange();
  }

  private async applyGain(track: LocalAudioTrack): Promise<void> {
    const { inputGain } = this.options.settings();
    if (this.gain && track.getProcessor() === this.gain) {
      this.gain.set(inputGain);
    } else if (inputGain !== 1) {
      this.gain = new GainProcessor(inputGain);
      await track.setAudioContext(this.options.audio());
      await track.setProcessor(this.gain);
    }
  }

  private hinder(what: "microphone" | "camera", hindrance: Hindrance | undefined): void {
    if (what === "microphone") this.microphoneHindrance = hindrance;
    else this.cameraHindrance = hindrance;
    this.options.onChange();
  }
}

const PROCESSING = [
  "microphoneId",
  "echoCancellation",
  "noiseSuppression",
  "autoGainControl",
  "musicMode",
  "lowBandwidth",
] as const;

function hasOther(now: CallSettings, before: CallSettings, keys: readonly (keyof CallSettings)[]): boolean {
  return keys.some((key) => now[key] !== before[key]);
}

async function limitBitrate(track: LocalAudioTrack, maxBitrate: number): Promise<void> {
  const { sender } = track;
  if (!sender) return;
  const parameters = sender.getParameters();
  for (const encoding of parameters.encodings) encoding.maxBitrate = maxBitrate;
  await sender.setParameters(parameters);
}

function mayPublish(participant: Participant, source: keyof typeof SOURCE_NUMBERS): boolean {
  const { permissions } = participant;
  if (!permissions) return true;
  const sources: readonly number[] = permissions.canPublishSources;
  return permissions.canPublish && (sources.length === 0 || sources.includes(SOURCE_NUMBERS[source]));
}

function hindranceOf(error: unknown): Hindrance {
  switch (MediaDeviceFailure.getFailure(error)) {
    case MediaDeviceFailure.PermissionDenied:
      return "denied";
    case MediaDeviceFailure.DeviceInUse:
      return "busy";
    default:
      return "missing";
  }
}
