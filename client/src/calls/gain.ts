import type { AudioProcessorOptions, Track, TrackProcessor } from "livekit-client";

/** Makes the microphone louder or quieter before it is sent. Only in the way while the gain is not 1. */
export class GainProcessor implements TrackProcessor<Track.Kind.Audio, AudioProcessorOptions> {
  readonly name = "gain";
  processedTrack?: MediaStreamTrack;
  private source: MediaStreamAudioSourceNode | undefined;
  private gain: GainNode | undefined;

  constructor(private value: number) {}

  set(value: number): void {
    this.value = value;
    if (this.gain) this.gain.gain.value = value;
  }

  async init({ audioContext, track }: AudioProcessorOptions): Promise<void> {
    const source = audioContext.createMediaStreamSource(new MediaStream([track]));
    const gain = audioContext.createGain();
    const end = audioContext.createMediaStreamDestination();
    gain.gain.value = this.value;
    source.connect(gain).connect(end);
    Object.assign(this, { source, gain });
    const [processed] = end.stream.getAudioTracks();
    if (processed) this.processedTrack = processed;
  }

  async restart(options: AudioProcessorOptions): Promise<void> {
    await this.destroy();
    await this.init(options);
  }

  async destroy(): Promise<void> {
    this.source?.disconnect();
    this.gain?.disconnect();
    this.processedTrack?.stop();
  }
}
