// What a call captures and sends: the project's numbers for simulcast, audio and screens.

import { BackupCodecPolicy, type RoomOptions, type ScreenShareCaptureOptions, VideoPreset } from "livekit-client";

export interface Capture {
    width: number;
    height: number;
    frameRate: number;
}

const layer = (width: number, height: number, kbps: number, fps: number) =>
    new VideoPreset(width, height, kbps * 1_000, fps);

export function mediaOptions(capture: Capture): RoomOptions {
    const { width, height, frameRate } = capture;
    return {
        adaptiveStream: { pixelDensity: 1, pauseVideoInBackground: true },
        dynacast: true,
        videoCaptureDefaults: { resolution: { width, height, frameRate } },
        audioCaptureDefaults: { channelCount: 2, sampleRate: 48_000 },
        publishDefaults: {
            simulcast: true,
            videoCodec: "vp8",
            // Below the layer that is captured; a small capture has fewer.
            videoSimulcastLayers: [layer(320, 180, 150, 15), layer(640, 360, 500, 24)],
            videoEncoding: { maxBitrate: 1_500_000, maxFramerate: frameRate },
            audioPreset: { maxBitrate: 32_000 },
            forceStereo: true,
            dtx: true,
            red: true,
            screenShareEncoding: { maxBitrate: 1_500_000, maxFramerate: 15 },
            backupCodec: { codec: "vp8" },
            backupCodecPolicy: BackupCodecPolicy.PREFER_REGRESSION,
        },
    };
}

export const SCREEN: ScreenShareCaptureOptions = {
    resolution: { width: 1_920, height: 1_080, frameRate: 15 },
    contentHint: "detail",
};
