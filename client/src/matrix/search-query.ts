/** What is searched for: words, and who said them where and when, with what. */
export interface SearchQuery {
  /** The words that are left once the operators are taken out. */
  readonly words: string;
  /** Names or IDs, as they were typed. */
  readonly from: readonly string[];
  readonly in: readonly string[];
  readonly has: readonly Attachment[];
  /** Not at or after this; ms since the epoch. */
  readonly before: number | undefined;
  /** Not before this. */
  readonly after: number | undefined;
}

const ATTACHMENTS = ["file", "image", "video", "audio", "link"] as const;
type Attachment = (typeof ATTACHMENTS)[number];

const OPERATOR = /(?:^|\s)(from|in|has|before|after):(?:"([^"]*)"|(\S+))/gi;

/** Reads `from:anna in:#general has:file before:2026-03-01 after:… words`; names with blanks stand in quotation marks. */
export function parseSearch(text: string): SearchQuery {
  const from: string[] = [];
  const rooms: string[] = [];
  const has: Attachment[] = [];
  let before: number | undefined;
  let after: number | undefined;
  const words = text.replace(OPERATOR, (whole, operator: string, quoted?: string, bare?: string) => {
    const value = (quoted ?? bare ?? "").trim();
    switch (operator.toLowerCase()) {
      case "from":
        from.push(value.replace(/^@(?!.*:)/, ""));
        return " ";
      case "in":
        rooms.push(value.replace(/^#(?!.*:)/, ""));
        return " ";
      case "has": {
        const kind = ATTACHMENTS.find((known) => known === value.toLowerCase());
        if (!kind) return whole;
        has.push(kind);
        return " ";
      }
      default: {
        const day = dayOf(value);
        if (day === undefined) return whole;
        if (operator.toLowerCase() === "before") before = day;
        else after = day;
        return " ";
      }
    }
  });
  return { words: words.replace(/\s+/g, " ").trim(), from, in: rooms, has, before, after };
}

/** The start of a day in this place's time: `2026-03-01`. */
function dayOf(text: string): number | undefined {
  const found = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text);
  if (!found) return undefined;
  const [year, month, day] = [Number(found[1]), Number(found[2]), Number(found[3])];
  const start = new Date(year, month - 1, day);
  return start.getMonth() === month - 1 ? start.getTime() : undefined;
}

/** True if there is anything to look for. */
export const isSearch = ({ words, from, has, before, after }: SearchQuery): boolean =>
  words !== "" || from.length > 0 || has.length > 0 || before !== undefined || after !== undefined;

/** What a message has to have for `has:` and the days; words and people the server knows better. */
interface Candidate {
  readonly ts: number;
  readonly msgtype: string;
  readonly body: string;
}

const MSGTYPES: Readonly<Record<Exclude<Attachment, "link">, readonly string[]>> = {
  file: ["m.file", "m.image", "m.video", "m.audio"],
  image: ["m.image"],
  video: ["m.video"],
  audio: ["m.audio"],
};

export function fits({ has, before, after }: SearchQuery, { ts, msgtype, body }: Candidate): boolean {
  if (before !== undefined && ts >= before) return false;
  if (after !== undefined && ts < after) return false;
  return has.every((kind) =>
    kind === "link" ? /\bhttps?:\/\/\S/i.test(body) : MSGTYPES[kind].includes(msgtype),
  );
}

/** Whether every word, or what it begins, stands in the text; without case and accents, as the server searches. */
export function hasWords(text: string, words: string): boolean {
  const there = wordsOf(text);
  return wordsOf(words).every((wanted) =>
    there.some((word) => (wanted.length > 2 ? word.startsWith(wanted) : word === wanted)),
  );
}

export const wordsOf = (text: string): readonly string[] =>
  text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
