import { asEventId, asRoomId, asUserId, type EventId, type RoomId, type UserId } from "../ids";

/** Where a link of a message goes: to something of Matrix, or out of the client. */
export type LinkTarget =
  | { readonly kind: "user"; readonly userId: UserId }
  | {
      readonly kind: "room";
      /** `!id` or `#alias:server`. */
      readonly room: RoomId | string;
      readonly eventId: EventId | undefined;
    }
  | { readonly kind: "outside"; readonly href: string };

const SCHEMES = new Set(["https:", "http:", "ftp:", "mailto:", "magnet:"]);
const MATRIX_TO = "https://matrix.to/#/";

/** Understands a link's address; `undefined` for relative ones and schemes that the specification does not allow. */
export function linkTarget(href: string): LinkTarget | undefined {
  const trimmed = href.trim();
  if (trimmed.startsWith(MATRIX_TO)) {
    const [path = ""] = trimmed.slice(MATRIX_TO.length).split("?");
    const [id = "", event = ""] = path.split("/").map(decoded);
    const target = matrixTarget(id, event);
    if (target) return target;
  }
  if (trimmed.startsWith("matrix:")) return matrixUri(trimmed);
  let url: URL;
  try {
    url = new URL(trimmed);
  } catch {
    return undefined;
  }
  return SCHEMES.has(url.protocol) ? { kind: "outside", href: url.href } : undefined;
}

/** `matrix:u/anna:example.org`, `matrix:r/general:example.org/e/event`, `matrix:roomid/…` (appendices § Matrix URI scheme). */
function matrixUri(uri: string): LinkTarget | undefined {
  const [path = ""] = uri.slice("matrix:".length).split("?");
  const [kind, id = "", , event = ""] = path.split("/").map(decoded);
  const sigil = { u: "@", r: "#", roomid: "!" }[kind ?? ""];
  return sigil && id ? matrixTarget(sigil + id, event ? `$${event}` : "") : undefined;
}

function matrixTarget(id: string, event: string): LinkTarget | undefined {
  if (/^@[^:]+:.+/.test(id)) return { kind: "user", userId: asUserId(id) };
  if (/^![^/]+/.test(id) || /^#[^:]+:.+/.test(id)) {
    const room = id.startsWith("!") ? asRoomId(id) : id;
    return { kind: "room", room, eventId: event.startsWith("$") ? asEventId(event) : undefined };
  }
  return undefined;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

type TextPart = string | { readonly text: string; readonly target: LinkTarget };

const BARE_LINK = /\b(?:https?:\/\/|matrix:)[^\s<>"'`]+/giu;
/** A text with more links than this is a list or an attack; the rest stays text. */
const LINKS_MAX = 200;

/** Finds bare addresses in a text. Closing punctuation that no bracket of the address opened is left outside. */
export function splitLinks(text: string): readonly TextPart[] {
  // Nearly every text has none, and this is asked for each row that comes into sight.
  if (!text.includes(":")) return text === "" ? [] : [text];
  const parts: TextPart[] = [];
  let from = 0;
  for (const match of text.matchAll(BARE_LINK)) {
    if (parts.length > LINKS_MAX * 2) break;
    const address = withoutTail(match[0]);
    const target = linkTarget(address);
    if (!target) continue;
    if (match.index > from) parts.push(text.slice(from, match.index));
    parts.push({ text: address, target });
    from = match.index + address.length;
  }
  if (from < text.length) parts.push(text.slice(from));
  return parts;
}

function withoutTail(address: string): string {
  let end = address.length;
  while (end > 0) {
    const last = address[end - 1] ?? "";
    if (/[.,;:!?*_~]/.test(last)) end--;
    else if (last === ")" && count(address, "(", end) < count(address, ")", end)) end--;
    else if (last === "]" && count(address, "[", end) < count(address, "]", end)) end--;
    else break;
  }
  return address.slice(0, end);
}

function count(text: string, letter: string, end: number): number {
  let found = 0;
  for (let index = 0; index < end; index++) if (text[index] === letter) found++;
  return found;
}

/** The first outside link of a message that a preview may be asked for. */
export function firstWebLink(text: string): string | undefined {
  for (const part of splitLinks(text)) {
    if (typeof part !== "string" && part.target.kind === "outside" && /^https?:/.test(part.target.href)) {
      return part.target.href;
    }
  }
  return undefined;
}
