import { localpartOf, serverOf } from "~/matrix/ids";

/** Something one can jump to. `text` is compared, already in the form of `fold`. */
export interface Candidate {
  readonly text: string;
  /** When it was last used, ms since the epoch; 0 if never. */
  readonly lastTs: number;
  /** Groups are kept in this order where all else is equal: lower is first. */
  readonly weight: number;
}

/** Lower case without accents, so that "Muller" finds "Müller". */
export function fold(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

/**
 * What somebody is found by: name and user name; partners also by their company. Our own server's name is in everybody's ID, and
 * would find all of them by any of its letters.
 */
export function wordsOf(name: string, userId: string, ownServer: string): string {
  return `${name} ${serverOf(userId) === ownServer ? localpartOf(userId) : userId}`;
}

/** The best of the candidates for what was typed, best first. Without words, the ones used last. */
export function rank<C extends Candidate>(
  typed: string,
  candidates: readonly C[],
  max: number,
): readonly C[] {
  const words = fold(typed).split(/\s+/).filter(Boolean);
  const scored: { candidate: C; score: number }[] = [];
  for (const candidate of candidates) {
    const score = scoreOf(words, candidate.text);
    if (score > 0) scored.push({ candidate, score });
  }
  scored.sort(
    (a, b) =>
      b.score - a.score ||
      b.candidate.lastTs - a.candidate.lastTs ||
      a.candidate.weight - b.candidate.weight ||
      a.candidate.text.length - b.candidate.text.length,
  );
  return scored.slice(0, max).map(({ candidate }) => candidate);
}

/** 0 if a word is not in the text at all; each word adds by where it stands. */
function scoreOf(words: readonly string[], text: string): number {
  let score = 1;
  for (const word of words) {
    const found = scoreOfWord(word, text);
    if (found === 0) return 0;
    score += found;
  }
  return score;
}

const WORD_START = /[\s\-_./#@:]/;

function scoreOfWord(word: string, text: string): number {
  const at = text.indexOf(word);
  if (at === 0) return text.length === word.length ? 60 : 40;
  if (at > 0) return WORD_START.test(text[at - 1] ?? "") ? 30 : startsLater(word, text, at) ? 30 : 15;
  return isSpread(word, text) ? 4 : 0;
}

/** Whether the word also begins a word of the text further on. */
function startsLater(word: string, text: string, from: number): boolean {
  for (let at = text.indexOf(word, from + 1); at > 0; at = text.indexOf(word, at + 1))
    if (WORD_START.test(text[at - 1] ?? "")) return true;
  return false;
}

/** Whether the letters are in the text in this order, the first at the start of a word. */
function isSpread(word: string, text: string): boolean {
  let place = 0;
  for (let at = 0; at < text.length && place < word.length; at++) {
    if (text[at] !== word[place]) continue;
    if (place === 0 && at > 0 && !WORD_START.test(text[at - 1] ?? "")) continue;
    place++;
  }
  return place === word.length;
}
