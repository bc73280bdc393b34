/** A piece of a text, and whether it is one of the words that were searched for. */
interface MarkedPiece {
  readonly text: string;
  readonly at: number;
  readonly isMarked: boolean;
}

/** Cuts a text into the words that were found and what is between them. */
export function marked(text: string, words: readonly string[]): readonly MarkedPiece[] {
  const wanted = words.map(fold).filter(Boolean);
  const pieces: MarkedPiece[] = [];
  let end = 0;
  for (const found of text.matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
    const word = fold(found[0]);
    if (!wanted.some((one) => word === one || (one.length > 2 && word.startsWith(one)))) continue;
    if (found.index > end) pieces.push({ text: text.slice(end, found.index), at: end, isMarked: false });
    pieces.push({ text: found[0], at: found.index, isMarked: true });
    end = found.index + found[0].length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end), at: end, isMarked: false });
  return pieces;
}

const fold = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
