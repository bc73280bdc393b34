import { useEffect, useRef } from "react";
import { meterShare } from "~/calls/meter";
import { useSession } from "~/hooks/session";
import styles from "./waveform.module.css";

/** How tall each bar stands of what is heard: a shape that looks like speech. */
const SHAPE = [0.3, 0.62, 0.95, 0.5, 0.78, 0.4, 0.24];
const QUIET = 0.14;
const DRAWN_EVERY_MS = 90;

/** The loudest speaker, as bars. Decoration: rings and names say who speaks. */
export function Waveform() {
  const { calls } = useSession();
  const bars = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let round = 0;
    const draw = () => {
      const loudness = meterShare(calls.loudness());
      round += 1;
      for (const [index, bar] of [...(bars.current?.children ?? [])].entries()) {
        const sway = 0.75 + 0.25 * Math.sin(round * 0.9 + index * 1.7);
        const height = QUIET + (1 - QUIET) * loudness * (SHAPE[index] ?? 0.5) * sway * 1.4;
        if (bar instanceof HTMLElement) bar.style.setProperty("--h", String(Math.min(1, height)));
      }
    };
    const timer = setInterval(draw, DRAWN_EVERY_MS);
    return () => clearInterval(timer);
  }, [calls]);
  return (
    <div ref={bars} aria-hidden className={styles.wave}>
      {SHAPE.map((share) => (
        <i key={share} />
      ))}
    </div>
  );
}
