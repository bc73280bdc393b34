import { Marked, type Token, type TokenizerAndRendererExtension, type Tokens } from "marked";
import type { Mention } from "~/matrix/drafts";
import { asUserId, type UserId } from "~/matrix/ids";
import type { Mentions } from "~/matrix/message-content";

interface Rendered {
  /** Only if it says more than the text alone. */
  readonly html: string | undefined;
  readonly mentions: Mentions;
}

interface MarkdownOptions {
  readonly mentions?: readonly Mention[];
  /** `@room` calls everybody only if one may do that. */
  readonly allowsRoom?: boolean;
  /** Where a channel's link says that it can be joined. */
  readonly via?: string;
}

const SAFE_LINK = /^(https?|mailto|matrix):/i;

/** Markdown of the composer as the HTML of a message (CS API § m.room.message, allowed HTML). */
export function renderMarkdown(text: string, options: MarkdownOptions = {}): Rendered {
  const userIds = new Set<UserId>();
  let room = false;
  const marked = new Marked({ gfm: true, breaks: true, async: false });
  marked.use({
    extensions: [
      spoiler,
      mention(options, (found) => {
        if (found === "room") room = true;
        else if (found.kind === "user") userIds.add(asUserId(found.id));
      }),
    ],
    renderer: {
      // What looks like HTML was typed by somebody who talks of HTML.
      html: ({ text: typed }) => escapeHtml(typed),
      link({ href, tokens }) {
        const inner = this.parser.parseInline(tokens);
        return SAFE_LINK.test(href) ? `<a href="${escapeHtml(href)}">${inner}</a>` : inner;
      },
      image: ({ href, text: alt }) =>
        SAFE_LINK.test(href)
          ? `<a href="${escapeHtml(href)}">${escapeHtml(alt || href)}</a>`
          : escapeHtml(alt || href),
      checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
    },
  });
  const tokens = marked.lexer(text);
  const html = marked.parser(tokens).trim();
  const mentions = { userIds: [...userIds], room };
  if (isPlain(tokens)) return { html: undefined, mentions };
  return { html: unwrapped(html), mentions };
}

/** A single paragraph needs no element of its own. */
function unwrapped(html: string): string {
  const only = /^<p>([\s\S]*)<\/p>$/.exec(html)?.[1];
  return only !== undefined && !only.includes("<p>") ? only : html;
}

/** True if the HTML would say nothing that the text does not. */
function isPlain(tokens: readonly Token[]): boolean {
  return tokens.every((token) => {
    switch (token.type) {
      case "space":
      case "br":
      case "html":
        return true;
      case "text":
      case "paragraph":
        return isPlain((token as Tokens.Paragraph).tokens ?? []);
      case "link":
        // An address that stands for itself.
        return token.raw === (token as Tokens.Link).text;
      case "mention":
        return (token as unknown as MentionToken).mention === "room";
      default:
        return false;
    }
  });
}

const spoiler: TokenizerAndRendererExtension = {
  name: "spoiler",
  level: "inline",
  start: (source) => source.indexOf("||"),
  tokenizer(source) {
    const found = /^\|\|(?=\S)([\s\S]*?\S)\|\|/.exec(source);
    if (!found) return undefined;
    return { type: "spoiler", raw: found[0], tokens: this.lexer.inlineTokens(found[1] ?? "") };
  },
  renderer(token) {
    return `<span data-mx-spoiler>${this.parser.parseInline(token.tokens ?? [])}</span>`;
  },
};

interface MentionToken {
  readonly type: "mention";
  readonly raw: string;
  readonly mention: Mention | "room";
}

function mention(
  { mentions = [], allowsRoom = false, via = "" }: MarkdownOptions,
  onFound: (mention: Mention | "room") => void,
): TokenizerAndRendererExtension {
  // The longest first: "@Anna Berg" is not "@Anna".
  const known = [...mentions].sort((a, b) => b.label.length - a.label.length);
  return {
    name: "mention",
    level: "inline",
    start: (source) => {
      const place = source.search(/[@#]/);
      return place < 0 ? undefined : place;
    },
    tokenizer(source) {
      const found = known.find(({ label }) => source.startsWith(label) && endsWord(source, label.length));
      if (found) return { type: "mention", raw: found.label, mention: found };
      if (allowsRoom && source.startsWith("@room") && endsWord(source, 5)) {
        return { type: "mention", raw: "@room", mention: "room" };
      }
      return undefined;
    },
    renderer(token) {
      const found = (token as unknown as MentionToken).mention;
      onFound(found);
      if (found === "room") return "@room";
      const query = found.kind === "channel" && via ? `?via=${encodeURIComponent(via)}` : "";
      const label = found.kind === "user" ? found.label.slice(1) : found.label;
      return `<a href="https://matrix.to/#/${encodeURIComponent(found.id)}${query}">${escapeHtml(label)}</a>`;
    },
  };
}

const endsWord = (source: string, at: number) => !/^[\p{L}\p{N}_]/u.test(source.slice(at));

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
