import { createSanitiser, type Sanitiser } from "./sanitise";
import type { HtmlNode } from "./tree";

export { firstWebLink, type LinkTarget, splitLinks } from "./links";
export type { HtmlElement, HtmlNode } from "./tree";

let sanitiser: Sanitiser | undefined;

/** A message's `formatted_body` as data that is safe to show. */
export function readHtml(html: string): readonly HtmlNode[] {
  sanitiser ??= createSanitiser(window);
  return sanitiser(html);
}
