// Trying devices out before a call.

import { Meter } from "./meter";
import type { CallSettings } from "./settings";

/** An open microphone outside any call: how loud it is, and, if asked, what it sounds like. */
export class MicrophoneTest {
  private constructor(
    private readonly context: AudioContext,
    private readonly stream: MediaStream,
    private readonly meter: Meter,
    private readonly gain: GainNode,
  ) {}

  static async open(settings: CallSettings): Promise<MicrophoneTest> {
    const isFiltered = !settings.musicMode;
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: {
        ...(settings.microphoneId ? { deviceId: { exact: settings.microphoneId } } : {}),
        echoCancellation: settings.echoCancellation && isFiltered,
        noiseSuppression: settings.noiseSuppression && isFiltered,
        autoGainControl: settings.autoGainControl && isFiltered,
      },
    });
    const context = new AudioContext();
    const source = context.createMediaStreamSource(stream);
    const gain = context.createGain();
    gain.gain.value = settings.inputGain;
    const end = context.createMediaStreamDestination();
    source.connect(gain).connect(end);
    const [track] = end.stream.getAudioTracks();
    if (!track) throw new Error("the microphone gave no track");
    return new MicrophoneTest(context, stream, new Meter(context, track), gain);
  }

  level(): number {
    return this.meter.level();
  }

  setGain(value: number): void {
    this.gain.gain.value = value;
  }

  /** Lets one hear oneself. */
  setMonitored(isMonitored: boolean): void {
    if (isMonitored) this.gain.connect(this.context.destination);
    else {
      try {
        this.gain.disconnect(this.context.destination);
      } catch {
        // It was not connected.
      }
    }
  }

  close(): void {
    this.meter.close();
    for (const track of this.stream.getTracks()) track.stop();
    void this.context.close();
  }
}

export function openCamera(cameraId: string): Promise<MediaStream> {
  return navigator.mediaDevices.getUserMedia({
    video: cameraId ? { deviceId: { exact: cameraId } } : true,
  });
}

export function closeStream(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
