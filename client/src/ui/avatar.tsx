import { Globe } from "lucide-react";
import styles from "./avatar.module.css";
import { cx } from "./cx";

type PresenceMark = "online" | "away" | "busy" | "offline";

interface AvatarProps {
  name: string;
  /** Decides the colour where there is no picture: an ID, so that it never changes with the name. */
  seed: string;
  /** An address that the page may load, from `useMediaUrl`. */
  src?: string | undefined;
  /** People are circles, places are rounded squares. */
  shape?: "person" | "place";
  size?: number;
  presence?: PresenceMark | undefined;
  isSpeaking?: boolean;
  /** Of another company. */
  isPartner?: boolean;
}

const COLOURS = 7;

/** A picture of a person or place, or its initials. Decoration: the name stands beside it. */
export function Avatar({
  name,
  seed,
  src,
  shape = "person",
  size = 40,
  presence,
  isSpeaking,
  isPartner,
}: AvatarProps) {
  return (
    <span
      aria-hidden
      className={cx(
        styles.avatar,
        styles[shape],
        styles[`c${hash(seed) % COLOURS}`],
        isSpeaking && styles.speaking,
      )}
      style={{ "--s": `${size}px` }}
    >
      {src ? (
        <img src={src} alt="" className={styles.image} loading="lazy" draggable={false} />
      ) : (
        initials(name)
      )}
      {presence && <i className={cx(styles.presence, styles[presence])} />}
      {isPartner && (
        <i className={styles.partner}>
          <Globe size={12} strokeWidth={2} />
        </i>
      )}
    </span>
  );
}

/** Up to two letters of a name, by what readers see as letters. */
function initials(name: string): string {
  const words = name
    .replace(/^[@#!+]/, "")
    .split(/[\s._-]+/u)
    .filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map(
    (word) => [...(word ?? "")][0] ?? "",
  );
  return letters.join("").toLocaleUpperCase() || "?";
}

function hash(text: string): number {
  let value = 7;
  for (let index = 0; index < text.length; index++) value = (value * 31 + text.charCodeAt(index)) >>> 0;
  return value;
}
