/** Two tones that answer each other, an echo behind them; repeated until it is stopped. */
const NOTES = [
  { at: 0, hertz: 659.3 },
  { at: 0.18, hertz: 987.8 },
  { at: 0.6, hertz: 659.3 },
  { at: 0.78, hertz: 987.8 },
];
const EVERY_MS = 2_600;
const LOUDNESS = 0.16;
const NOTE_SECONDS = 0.42;

/** Rings, as far as the browser lets a page sound before it was touched. The answer stops it. */
export function startRinging(): () => void {
  const context = new AudioContext();
  const play = () => {
    if (context.state === "suspended") void context.resume();
    for (const { at, hertz } of NOTES) playNote(context, context.currentTime + at, hertz);
  };
  play();
  const timer = setInterval(play, EVERY_MS);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}

function playNote(context: AudioContext, at: number, hertz: number): void {
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.type = "sine";
  tone.frequency.value = hertz;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(LOUDNESS, at + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.001, at + NOTE_SECONDS);
  tone.connect(volume).connect(context.destination);
  tone.start(at);
  tone.stop(at + NOTE_SECONDS);
}
