import { useCallback, useEffect, useRef, useState } from "react";

/** Louder than the noise of an empty room. */
const HEARD = 0.06;
const LOOK_EVERY_MS = 60;

interface MicrophoneTest {
  readonly isRunning: boolean;
  /** 0 to 1. */
  readonly level: number;
  readonly hasSound: boolean;
  readonly failure: "denied" | "missing" | undefined;
  readonly start: () => void;
  readonly stop: () => void;
}

/** How loud the microphone is, while it is tested; it is let go of with the test, and with the page. */
export function useMicrophoneTest(): MicrophoneTest {
  const [level, setLevel] = useState(0);
  const [isRunning, setRunning] = useState(false);
  const [hasSound, setSound] = useState(false);
  const [failure, setFailure] = useState<MicrophoneTest["failure"]>();
  const end = useRef<() => void>(() => {});

  const stop = useCallback(() => {
    end.current();
    end.current = () => {};
    setRunning(false);
    setLevel(0);
  }, []);
  useEffect(() => () => end.current(), []);

  const start = useCallback(() => {
    setFailure(undefined);
    let isOver = false;
    end.current = () => {
      isOver = true;
    };
    void (async () => {
      try {
        const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
        if (isOver) return letGo(stream);
        const meter = loudnessOf(stream);
        const timer = setInterval(() => {
          const now = meter.read();
          setLevel(now);
          if (now > HEARD) setSound(true);
        }, LOOK_EVERY_MS);
        end.current = () => {
          clearInterval(timer);
          void meter.close();
          letGo(stream);
        };
        setRunning(true);
      } catch (error) {
        const isDenied = error instanceof DOMException && error.name === "NotAllowedError";
        setFailure(isDenied ? "denied" : "missing");
      }
    })();
  }, []);

  return { isRunning, level, hasSound, failure, start, stop };
}

function letGo(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function loudnessOf(stream: MediaStream) {
  const audio = new AudioContext();
  const analyser = audio.createAnalyser();
  analyser.fftSize = 1024;
  audio.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return {
    read(): number {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      // Speech lies at about a tenth of full scale: the root spreads it over the bar.
      return Math.min(1, Math.sqrt(Math.sqrt(power)));
    },
    close: () => audio.close(),
  };
}
