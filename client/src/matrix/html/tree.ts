import type { LinkTarget } from "./links";

/** A message's formatted text as plain data: what is not in these types cannot be shown. */
export type HtmlNode = HtmlText | HtmlElement;

interface HtmlText {
  readonly kind: "text";
  readonly text: string;
}

export type HtmlElement =
  | { readonly kind: "element"; readonly tag: PlainTag; readonly children: readonly HtmlNode[] }
  | { readonly kind: "break" | "rule" }
  | { readonly kind: "link"; readonly target: LinkTarget; readonly children: readonly HtmlNode[] }
  | { readonly kind: "list"; readonly start: number | undefined; readonly children: readonly HtmlNode[] }
  | { readonly kind: "task"; readonly isDone: boolean; readonly children: readonly HtmlNode[] }
  | { readonly kind: "spoiler"; readonly reason: string; readonly children: readonly HtmlNode[] }
  | { readonly kind: "coloured"; readonly colour: string; readonly children: readonly HtmlNode[] }
  | { readonly kind: "maths"; readonly latex: string; readonly isBlock: boolean }
  | { readonly kind: "code"; readonly language: string; readonly text: string }
  | {
      readonly kind: "image";
      readonly mxc: string;
      readonly alt: string;
      readonly title: string;
      readonly width: number | undefined;
      readonly height: number | undefined;
    };

export const PLAIN_TAGS = [
  "b",
  "blockquote",
  "caption",
  "code",
  "del",
  "details",
  "div",
  "em",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
  "i",
  "li",
  "p",
  "s",
  "span",
  "strong",
  "sub",
  "summary",
  "sup",
  "table",
  "tbody",
  "td",
  "th",
  "thead",
  "tr",
  "u",
  "ul",
] as const;
export type PlainTag = (typeof PLAIN_TAGS)[number];
