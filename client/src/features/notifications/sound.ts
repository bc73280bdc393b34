/** Two soft tones, the second higher: made here, so that nothing has to be fetched. */
const TONES = [
  { hertz: 587.33, startS: 0 },
  { hertz: 880, startS: 0.11 },
] as const;
const TONE_S = 0.22;
const LOUDNESS = 0.09;

let context: AudioContext | undefined;

/** Plays the sound of a new message. Before the first click in the page browsers keep it silent. */
export async function playMessageSound(): Promise<void> {
  context ??= new AudioContext();
  if (context.state === "suspended") await context.resume();
  const now = context.currentTime;
  for (const { hertz, startS } of TONES) {
    const oscillator = new OscillatorNode(context, { type: "sine", frequency: hertz });
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setValueAtTime(0, now + startS);
    gain.gain.linearRampToValueAtTime(LOUDNESS, now + startS + 0.015);
    gain.gain.exponentialRampToValueAtTime(0.0001, now + startS + TONE_S);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(now + startS);
    oscillator.stop(now + startS + TONE_S);
  }
}
