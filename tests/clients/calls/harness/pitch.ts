// What is heard, as a number.

const LISTEN_MS = 500;

/** The loudest frequency of a track, in hertz. */
export async function pitchOf(track: MediaStreamTrack): Promise<number> {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 8_192;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    await new Promise((resolve) => setTimeout(resolve, LISTEN_MS));
    const loudness = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(loudness);
    const hertz = (loudness.indexOf(Math.max(...loudness)) * context.sampleRate) / analyser.fftSize;
    await context.close();
    return hertz;
}
