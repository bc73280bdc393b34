import { createSanitiser, type Sanitiser } from "./sanitise";
import type { HtmlNode } from "./tree";

export { firstWebLink, type LinkTarget, splitLinks } from "./links";
export type { HtmlElement, HtmlNode } from "./tree";

/** Some windows' worth of formatted messages: a row that comes into sight again is not read again. */
const KEPT_MAX = 600;
/** What is longer than nearly everything would make the others' place. */
const KEPT_LENGTH_MAX = 4_000;

let sanitiser: Sanitiser | undefined;
const kept = new Map<string, readonly HtmlNode[]>();

/** A message's `formatted_body` as data that is safe to show. */
export function readHtml(html: string): readonly HtmlNode[] {
  const known = kept.get(html);
  if (known) return known;
  sanitiser ??= createSanitiser(window);
  const nodes = sanitiser(html);
  if (html.length > KEPT_LENGTH_MAX) return nodes;
  if (kept.size >= KEPT_MAX) kept.delete(kept.keys().next().value ?? "");
  kept.set(html, nodes);
  return nodes;
}
