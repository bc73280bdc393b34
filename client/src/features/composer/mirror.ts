import type { Mention } from "~/matrix/drafts";

/** A piece of the text as the mirror shows it. */
interface Piece {
  readonly text: string;
  readonly kind: "text" | "mention" | "room";
  /** Where it stands in the text: its identity. */
  readonly at: number;
}

/** Cuts a text into its names and what is between them. */
export function piecesOf(text: string, mentions: readonly Mention[], allowsRoom: boolean): readonly Piece[] {
  const labels = mentions.map(({ label }) => label).sort((a, b) => b.length - a.length);
  const alternatives = [...labels, ...(allowsRoom ? ["@room"] : [])].map(quoted);
  if (alternatives.length === 0) return [{ text, kind: "text", at: 0 }];
  const names = new RegExp(`(${alternatives.join("|")})(?![\\p{L}\\p{N}_])`, "gu");
  const pieces: Piece[] = [];
  let end = 0;
  for (const found of text.matchAll(names)) {
    if (found.index > end) pieces.push({ text: text.slice(end, found.index), kind: "text", at: end });
    const kind = found[0] === "@room" && allowsRoom ? "room" : "mention";
    pieces.push({ text: found[0], kind, at: found.index });
    end = found.index + found[0].length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end), kind: "text", at: end });
  return pieces;
}

const quoted = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
