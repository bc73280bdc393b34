import {
  type AudioCaptureOptions,
  BackupCodecPolicy,
  type RoomOptions,
  type ScreenShareCaptureOptions,
  type TrackPublishOptions,
  type VideoCaptureOptions,
  VideoPreset,
} from "livekit-client";
import type { MediaPolicy } from "./policy";
import type { CallSettings } from "./settings";

/** Speech with low bandwidth: understood, and little more. */
const LOW_AUDIO_BITRATE = 20_000;

type Processing = Pick<
  CallSettings,
  "microphoneId" | "echoCancellation" | "noiseSuppression" | "autoGainControl" | "musicMode" | "lowBandwidth"
>;

/** How the microphone is opened. Filters make one channel of two, so stereo is for music. */
export function audioCapture(settings: Processing, policy: MediaPolicy): AudioCaptureOptions {
  const isMusic = settings.musicMode;
  return {
    ...(settings.microphoneId ? { deviceId: settings.microphoneId } : {}),
    channelCount: settings.lowBandwidth ? 1 : isMusic ? policy.audio.channels : 1,
    sampleRate: policy.audio.sample_rate,
    echoCancellation: settings.echoCancellation && !isMusic,
    noiseSuppression: settings.noiseSuppression && !isMusic,
    autoGainControl: settings.autoGainControl && !isMusic,
  };
}

export function audioPublish(settings: Processing, policy: MediaPolicy): TrackPublishOptions {
  return {
    audioPreset: { maxBitrate: audioBitrate(settings, policy) },
    forceStereo: settings.musicMode && !settings.lowBandwidth && policy.audio.channels > 1,
    dtx: policy.audio.dtx && !settings.musicMode,
    red: !settings.lowBandwidth,
  };
}

export function audioBitrate(settings: Processing, policy: MediaPolicy): number {
  return settings.lowBandwidth
    ? Math.min(LOW_AUDIO_BITRATE, policy.audio.max_bitrate)
    : policy.audio.max_bitrate;
}

export function videoCapture(cameraId: string, policy: MediaPolicy): VideoCaptureOptions {
  const top = topLayer(policy);
  return {
    ...(cameraId ? { deviceId: cameraId } : {}),
    resolution: { width: top.width, height: top.height, frameRate: top.max_framerate },
  };
}

export function screenCapture(policy: MediaPolicy): ScreenShareCaptureOptions {
  const { width, height, max_framerate } = policy.screen_share;
  return {
    resolution: { width, height, frameRate: max_framerate },
    contentHint: "detail",
    audio: { autoGainControl: false, noiseSuppression: false, echoCancellation: false },
    systemAudio: "include",
    selfBrowserSurface: "exclude",
  };
}

/** In an encrypted call there is no second codec for who cannot decode the first: it is one that everybody can. */
export function screenPublish(policy: MediaPolicy, isEncrypted: boolean): TrackPublishOptions {
  return {
    videoCodec: isEncrypted ? "vp8" : policy.screen_share.codec,
    dtx: false,
    red: false,
  };
}

export function roomOptions(settings: Processing & { speakerId: string }, policy: MediaPolicy): RoomOptions {
  const layers = [...policy.video.layers].sort((a, b) => a.height - b.height);
  const top = topLayer(policy);
  return {
    // Subscribes by the size of tiles, and to nothing for those that nobody sees.
    adaptiveStream: { pixelDensity: 1, pauseVideoInBackground: true },
    // Stops encoding what nobody watches.
    dynacast: true,
    // The library would also leave when somebody is asked whether to leave the page, and stays.
    disconnectOnPageLeave: false,
    ...(settings.speakerId ? { audioOutput: { deviceId: settings.speakerId } } : {}),
    publishDefaults: {
      simulcast: true,
      videoCodec: policy.video.codec,
      // The layers below the captured one; the library takes two at most.
      videoSimulcastLayers: layers
        .slice(0, -1)
        .slice(-2)
        .map(
          ({ width, height, max_bitrate, max_framerate }) =>
            new VideoPreset(width, height, max_bitrate, max_framerate),
        ),
      videoEncoding: { maxBitrate: top.max_bitrate, maxFramerate: top.max_framerate },
      ...audioPublish(settings, policy),
      screenShareEncoding: {
        maxBitrate: policy.screen_share.max_bitrate,
        maxFramerate: policy.screen_share.max_framerate,
      },
      backupCodec: { codec: "vp8" },
      backupCodecPolicy: BackupCodecPolicy.PREFER_REGRESSION,
    },
  };
}

function topLayer(policy: MediaPolicy): MediaPolicy["video"]["layers"][number] {
  return policy.video.layers.reduce((best, layer) => (layer.height > best.height ? layer : best));
}
