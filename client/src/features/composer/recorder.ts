/** Types in the order of wish: what other clients play, then what this browser can. */
const TYPES = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus", "audio/mp4"];
/** Somebody forgot that the microphone is open. */
export const RECORDING_MAX_MS = 15 * 60_000;
export const LEVEL_EVERY_MS = 100;
/** What travels of the waveform (MSC3245 asks for no more than 120). */
const WAVEFORM_LENGTH = 100;
/** What a bar shows of speech: levels of speech are far below full. */
const SPEECH_GAIN = 3;

export interface Recorded {
  readonly file: File;
  readonly durationMs: number;
  readonly waveform: readonly number[];
}

/** True if this browser can record at all. */
export const canRecord = (): boolean =>
  typeof MediaRecorder !== "undefined" && navigator.mediaDevices?.getUserMedia !== undefined;

/** A recording that is under way. Ends by `finish` or `cancel`, which both close the microphone. */
export class Recording {
  readonly startedTs = Date.now();
  /** Levels so far, 0 to 1, ten a second. */
  readonly levels: number[] = [];
  private readonly parts: Blob[] = [];
  private readonly timer: ReturnType<typeof setInterval>;

  private constructor(
    private readonly stream: MediaStream,
    private readonly recorder: MediaRecorder,
    private readonly sound: AudioContext,
    onLevel: (levels: readonly number[]) => void,
  ) {
    const analyser = sound.createAnalyser();
    analyser.fftSize = 1024;
    sound.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      this.levels.push(Math.min(1, Math.sqrt(power) * SPEECH_GAIN));
      onLevel(this.levels);
    }, LEVEL_EVERY_MS);
    recorder.ondataavailable = ({ data }) => this.parts.push(data);
    recorder.start(1_000);
  }

  /** Opens this microphone, or the usual one; fails with the browser's refusal. */
  static async start(onLevel: (levels: readonly number[]) => void, microphoneId: string): Promise<Recording> {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, ...(microphoneId ? { deviceId: microphoneId } : {}) },
    });
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    const recorder = new MediaRecorder(stream, {
      ...(mimeType ? { mimeType } : {}),
      audioBitsPerSecond: 32_000,
    });
    return new Recording(stream, recorder, new AudioContext(), onLevel);
  }

  async finish(name: string): Promise<Recorded> {
    const durationMs = Date.now() - this.startedTs;
    const hasStopped = new Promise((resolve) =>
      this.recorder.addEventListener("stop", resolve, { once: true }),
    );
    this.recorder.stop();
    await hasStopped;
    this.close();
    const type = this.recorder.mimeType.split(";")[0] || "audio/webm";
    const ending = type.slice("audio/".length);
    return {
      file: new File(this.parts, `${name}.${ending}`, { type }),
      durationMs,
      waveform: shortened(this.levels, WAVEFORM_LENGTH),
    };
  }

  cancel(): void {
    if (this.recorder.state !== "inactive") this.recorder.stop();
    this.close();
  }

  private close(): void {
    clearInterval(this.timer);
    for (const track of this.stream.getTracks()) track.stop();
    void this.sound.close();
  }
}

/** The loudest of each stretch, so that short sounds stay visible. */
export function shortened(levels: readonly number[], length: number): readonly number[] {
  if (levels.length <= length) return levels;
  return Array.from({ length }, (_, index) => {
    const from = Math.floor((index * levels.length) / length);
    const to = Math.floor(((index + 1) * levels.length) / length);
    return Math.max(...levels.slice(from, to));
  });
}
