/** What is being named at the caret, and from where in the text. */
export interface Trigger {
  readonly kind: "user" | "channel" | "emoji" | "command";
  /** What was typed behind the sign. */
  readonly query: string;
  readonly start: number;
}

/** A name is looked for in this much text: a sign far back is not one. */
const QUERY_MAX = 40;

const KINDS = { "@": "user", "#": "channel", ":": "emoji" } as const;

/** The sign before the caret that suggestions belong to; `undefined` if there is none. */
export function triggerAt(text: string, caret: number): Trigger | undefined {
  const before = text.slice(0, caret);
  const command = /^\/(\w*)$/.exec(before);
  if (command) return { kind: "command", query: command[1] ?? "", start: 0 };
  const found = /(?:^|[\s(])([@#:])([^\s@#:]*(?: [^\s@#:]+)?)$/u.exec(before.slice(-QUERY_MAX));
  if (!found) return undefined;
  const [sign, query = ""] = [found[1] as keyof typeof KINDS, found[2]];
  const kind = KINDS[sign];
  // A smiley or a time is no search yet; and only names have blanks in them.
  if (kind === "emoji" && (query.length < 2 || !/^[\p{L}\p{N}_+-]+$/u.test(query))) return undefined;
  if (kind === "channel" && query.includes(" ")) return undefined;
  return { kind, query, start: caret - query.length - 1 };
}

/** The text with what was chosen in place of what was typed, and where the caret goes. */
export function complete(
  text: string,
  caret: number,
  trigger: Trigger,
  chosen: string,
): { text: string; caret: number } {
  const rest = text.slice(caret);
  const inserted = rest.startsWith(" ") ? chosen : `${chosen} `;
  return {
    text: text.slice(0, trigger.start) + inserted + rest,
    caret: trigger.start + chosen.length + 1,
  };
}

/** Those whose words begin with what was typed, best first; at most `count`. */
export function ranked<T>(
  all: readonly T[],
  query: string,
  names: (item: T) => readonly string[],
  count = 8,
): readonly T[] {
  const wanted = folded(query);
  const scored: { item: T; score: number }[] = [];
  for (const item of all) {
    const score = Math.min(...names(item).map((name) => scoreOf(folded(name), wanted)));
    if (score < 3) scored.push({ item, score });
  }
  return scored
    .sort((a, b) => a.score - b.score)
    .slice(0, count)
    .map(({ item }) => item);
}

function scoreOf(name: string, wanted: string): number {
  if (name.startsWith(wanted)) return name.length === wanted.length ? -1 : 0;
  if (name.split(/[\s._-]+/).some((word) => word.startsWith(wanted))) return 1;
  return wanted.length > 1 && name.includes(wanted) ? 2 : 3;
}

/** Without case and accents. */
const folded = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
