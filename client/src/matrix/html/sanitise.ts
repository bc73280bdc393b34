import createPurifier, { type WindowLike } from "dompurify";
import { linkTarget } from "./links";
import { type HtmlElement, type HtmlNode, PLAIN_TAGS, type PlainTag } from "./tree";

/** CS API § m.room.message msgtypes: tags must not be nested deeper. */
const DEPTH_MAX = 100;
/** More nodes than any person writes; the rest is cut off. */
const NODES_MAX = 2_000;
const BODY_LENGTH_MAX = 70_000;
const IMAGE_SIDE_MAX = 800;

const ALLOWED_TAGS = [...PLAIN_TAGS, "a", "br", "font", "hr", "img", "ol", "pre", "strike"];
const ALLOWED_ATTRIBUTES = [
  "alt",
  "class",
  "color",
  "data-mx-color",
  "data-mx-maths",
  "data-mx-spoiler",
  "height",
  "href",
  "src",
  "start",
  "title",
  "width",
];
/** Those of them that hold no address. */
const WORDS = ALLOWED_ATTRIBUTES.filter((name) => name !== "href" && name !== "src");
const PLAIN = new Set<string>(PLAIN_TAGS);

export type Sanitiser = (html: string) => readonly HtmlNode[];

/**
 * Reads a `formatted_body` (CS API § m.room.message msgtypes). DOMPurify parses it in a document of its own that runs and
 * loads nothing; what it leaves is copied into plain data, where each kind carries only what a view may show.
 */
export function createSanitiser(window: WindowLike): Sanitiser {
  const purifier = createPurifier(window);
  // Once: to read it costs as much as a message does.
  purifier.setConfig({
    ALLOWED_TAGS,
    ALLOWED_ATTR: ALLOWED_ATTRIBUTES,
    ADD_URI_SAFE_ATTR: WORDS,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    // Addresses are judged below, by the specification's own list.
    ALLOWED_URI_REGEXP: /^(?:https?|ftp|mailto|magnet|matrix|mxc):/i,
    // The quoted text of old replies goes as a whole, other unknown tags leave their text.
    FORBID_CONTENTS: [
      "mx-reply",
      "script",
      "style",
      "template",
      "noscript",
      "iframe",
      "svg",
      "math",
      "title",
    ],
    RETURN_DOM_FRAGMENT: true,
  });
  return (html) => {
    const fragment = purifier.sanitize(withoutReports(html.slice(0, BODY_LENGTH_MAX)), {
      RETURN_DOM_FRAGMENT: true,
    });
    const walk = new Walk();
    return walk.children(fragment, 0);
  };
}

/**
 * Handlers, styles and bases under other names. They do nothing in a document of DOMPurify's, but Chromium checks them against the
 * content security policy there as well, and reports of what strangers wrote would hide those that matter. DOMPurify removes
 * them either way.
 */
function withoutReports(html: string): string {
  return html.replace(/<[a-z][^<>]*/gi, (tag) =>
    tag.replace(/([\s"'/])(?=(?:on[a-z]+|style)\s*=)/gi, "$1x-").replace(/^<base\b/i, "<x-base"),
  );
}

class Walk {
  private nodes = 0;

  children(parent: Node, depth: number): readonly HtmlNode[] {
    const found: HtmlNode[] = [];
    for (const child of parent.childNodes) {
      if (this.nodes++ > NODES_MAX) break;
      if (child.nodeType === 3) found.push({ kind: "text", text: child.nodeValue ?? "" });
      else if (child.nodeType === 1) this.element(child as Element, depth, found);
    }
    return found;
  }

  private element(element: Element, depth: number, into: HtmlNode[]): void {
    // What lies deeper than allowed keeps its words and loses its shape.
    if (depth >= DEPTH_MAX) {
      into.push({ kind: "text", text: element.textContent ?? "" });
      return;
    }
    const tag = element.tagName.toLowerCase();
    const children = () => this.children(element, depth + 1);
    const attribute = (name: string) => element.getAttribute(name);
    switch (tag) {
      case "br":
        into.push({ kind: "break" });
        return;
      case "hr":
        into.push({ kind: "rule" });
        return;
      case "a": {
        const target = linkTarget(attribute("href") ?? "");
        if (target) into.push({ kind: "link", target, children: children() });
        else into.push(...children());
        return;
      }
      case "img": {
        const image = readImage(attribute);
        into.push(image ?? { kind: "text", text: attribute("alt") ?? "" });
        return;
      }
      case "ol":
        into.push({ kind: "list", start: whole(attribute("start")), children: children() });
        return;
      case "pre":
        into.push(readCode(element));
        return;
      case "li":
        into.push(readListItem(children()));
        return;
      case "font":
      case "span":
      case "div":
        into.push(...readSpan(tag, attribute, children));
        return;
      case "strike":
        into.push({ kind: "element", tag: "s", children: children() });
        return;
      default:
        if (PLAIN.has(tag)) into.push({ kind: "element", tag: tag as PlainTag, children: children() });
        else into.push(...children());
    }
  }
}

type Attribute = (name: string) => string | null;

function readSpan(tag: "font" | "span" | "div", attribute: Attribute, children: () => readonly HtmlNode[]) {
  const latex = attribute("data-mx-maths");
  if (latex !== null) return [{ kind: "maths", latex, isBlock: tag === "div" } satisfies HtmlNode];
  const spoiler = attribute("data-mx-spoiler");
  if (tag === "span" && spoiler !== null) {
    return [{ kind: "spoiler", reason: spoiler, children: children() } satisfies HtmlNode];
  }
  const colour = attribute("data-mx-color") ?? (tag === "font" ? attribute("color") : null);
  if (tag !== "div" && colour !== null && /^#[0-9a-f]{6}$/i.test(colour)) {
    return [{ kind: "coloured", colour, children: children() } satisfies HtmlNode];
  }
  return [{ kind: "element", tag: tag === "div" ? "div" : "span", children: children() } satisfies HtmlNode];
}

function readImage(attribute: Attribute): HtmlElement | undefined {
  const mxc = attribute("src") ?? "";
  if (!/^mxc:\/\/[^/]+\/[^/]+$/.test(mxc)) return undefined;
  return {
    kind: "image",
    mxc,
    alt: attribute("alt") ?? "",
    title: attribute("title") ?? "",
    width: side(attribute("width")),
    height: side(attribute("height")),
  };
}

/** A block of code, by `<pre><code class="language-rust">`. Markup inside is not shown: colours are ours. */
function readCode(pre: Element): HtmlElement {
  const code = pre.querySelector("code");
  const language = [...(code?.classList ?? [])].find((name) => name.startsWith("language-")) ?? "";
  return {
    kind: "code",
    language: language.slice("language-".length, 40),
    text: (pre.textContent ?? "").replace(/\n$/, ""),
  };
}

const TASK = /^\s*\[([ xX])\]\s+/;

/** `- [x] done` of Markdown arrives as a list item that begins with a box. */
function readListItem(children: readonly HtmlNode[]): HtmlNode {
  const [first, ...rest] = children;
  const box = first?.kind === "text" ? TASK.exec(first.text) : null;
  if (first?.kind !== "text" || !box) return { kind: "element", tag: "li", children };
  const text: HtmlNode = { kind: "text", text: first.text.slice(box[0].length) };
  return { kind: "task", isDone: box[1] !== " ", children: [text, ...rest] };
}

function whole(text: string | null): number | undefined {
  return text !== null && /^-?\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function side(text: string | null): number | undefined {
  const pixels = whole(text);
  return pixels !== undefined && pixels > 0 ? Math.min(pixels, IMAGE_SIDE_MAX) : undefined;
}
