/** A message as it is exported. */
export interface ExportedMessage {
  readonly event_id: string;
  readonly type: string;
  readonly sender: string;
  readonly sender_name: string;
  /** When it was sent, as a date of ISO 8601. */
  readonly sent: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** Its text could not be read on this device. */
  readonly is_undecryptable?: true;
}

export interface ExportedRoom {
  readonly room_id: string;
  readonly name: string;
  readonly exported: string;
  /** Oldest first. */
  readonly messages: readonly ExportedMessage[];
}

/** A page that any browser shows, with nothing in it that acts or is fetched. */
export function roomAsHtml(room: ExportedRoom, language: string): string {
  const rows = room.messages.map(
    ({ sender, sender_name, sent, content, is_undecryptable }) =>
      `<li><p><b title="${asText(sender)}">${asText(sender_name)}</b> <time datetime="${asText(sent)}">${asText(
        sent.replace("T", " ").slice(0, 16),
      )}</time></p><div>${is_undecryptable ? "🔒" : asText(wordsOf(content))}</div></li>`,
  );
  const title = asText(room.name);
  return [
    `<!doctype html><html lang="${asText(language)}"><head><meta charset="utf-8">`,
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${title}</title><style>${STYLE}</style></head>`,
    `<body><h1>${title}</h1><ol>${rows.join("\n")}</ol></body></html>`,
  ].join("\n");
}

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#111b24}" +
  "ol{list-style:none;padding:0}li{padding:.5rem 0;border-top:1px solid #d5dde5}p{margin:0}" +
  "time{color:#506070;font-size:.85em}div{white-space:pre-wrap;overflow-wrap:anywhere}";

function wordsOf(content: Readonly<Record<string, unknown>>): string {
  const { body, url } = content;
  const words = typeof body === "string" ? body : "";
  return typeof url === "string" ? `${words} (${url})` : words;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const asText = (text: string) => text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? "");

/** A name for a file that every system takes; two rooms of one name are told apart by their ID's beginning. */
export function fileNameFor(name: string, id: string): string {
  const clean = name
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .trim()
    .slice(0, 60);
  return `${clean || "room"} ${id.replace(/[^A-Za-z0-9]/g, "").slice(0, 6)}`;
}
