/** What this device remembers of the emoji that were used. */
const STORED_AS = "echorift.emoji";
/** Before anybody has used any. */
const USUAL = ["👍", "✅", "❤️", "😂", "🎉", "👀", "🙏", "🔥"];
const REMEMBERED_MAX = 64;
/** Half of a use is forgotten after two weeks, so that habits can change. */
const HALF_LIFE_MS = 14 * 24 * 3600 * 1000;

interface EmojiUse {
  readonly emoji: string;
  readonly score: number;
  readonly ts: number;
}

/** The uses with one more of this emoji, the most used first. */
export function withUse(uses: readonly EmojiUse[], emoji: string, now: number): readonly EmojiUse[] {
  const faded = uses.map((use) => ({ ...use, score: fade(use, now), ts: now }));
  const before = faded.find((use) => use.emoji === emoji)?.score ?? 0;
  return [{ emoji, score: before + 1, ts: now }, ...faded.filter((use) => use.emoji !== emoji)]
    .sort((a, b) => b.score - a.score)
    .slice(0, REMEMBERED_MAX);
}

const fade = ({ score, ts }: EmojiUse, now: number) => score * 0.5 ** ((now - ts) / HALF_LIFE_MS);

/** Remembers that this emoji was used. */
export function noteEmoji(emoji: string): void {
  try {
    localStorage.setItem(STORED_AS, JSON.stringify(withUse(read(), emoji, Date.now())));
  } catch {
    // A full or closed storage costs the habit, not the emoji.
  }
}

/** The emoji that this person uses most, filled up with usual ones. */
export function frequentEmoji(count = 3): readonly string[] {
  return [...new Set([...read().map(({ emoji }) => emoji), ...USUAL])].slice(0, count);
}

function read(): readonly EmojiUse[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORED_AS) ?? "[]");
    return Array.isArray(stored) ? stored.filter(isUse) : [];
  } catch {
    return [];
  }
}

function isUse(value: unknown): value is EmojiUse {
  if (typeof value !== "object" || value === null) return false;
  const { emoji, score, ts } = value as Partial<EmojiUse>;
  return typeof emoji === "string" && typeof score === "number" && typeof ts === "number";
}
