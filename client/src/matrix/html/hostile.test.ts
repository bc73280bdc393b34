import { JSDOM } from "jsdom";
import { describe, expect, test } from "vitest";
import { createSanitiser } from "./sanitise";
import type { HtmlNode } from "./tree";

const read = createSanitiser(new JSDOM("").window as unknown as Parameters<typeof createSanitiser>[0]);

/** Everything that a view could act upon: kinds, tags, addresses; and the words. */
function facts(nodes: readonly HtmlNode[]): { kinds: string[]; text: string } {
  const kinds: string[] = [];
  let text = "";
  const visit = (node: HtmlNode) => {
    if (node.kind === "text") text += node.text;
    else if (node.kind === "code") text += node.text;
    if (node.kind === "element") kinds.push(node.tag);
    else if (node.kind !== "text") kinds.push(node.kind);
    if ("children" in node) node.children.forEach(visit);
  };
  nodes.forEach(visit);
  return { kinds, text };
}

describe("hostile formatted bodies", () => {
  test.each([
    ["<script>window.__pwned = 1</script>hello", "hello"],
    ["<img src=x onerror=alert(1)>hello", "hello"],
    ["<svg onload=alert(1)><a href='javascript:alert(1)'>x</a></svg>hello", "hello"],
    ["<style>*{display:none}</style>hello", "hello"],
    ["<iframe src='https://evil.example'></iframe>hello", "hello"],
    ["<form action='https://evil.example'><input name=password><button>hello</button></form>", "hello"],
    [
      "<math><mtext></table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></mtext></math>hello",
      "hello",
    ],
    ["<mx-reply><blockquote>quoted</blockquote></mx-reply>hello", "hello"],
    ["<template><img src=x onerror=alert(1)></template>hello", "hello"],
    ["<video src='https://evil.example/v' autoplay>hello</video>", "hello"],
    ["<object data='data:text/html,<script>alert(1)</script>'>hello</object>", "hello"],
    ["<base href='https://evil.example/'>hello", "hello"],
    ["<meta http-equiv=refresh content='0;url=https://evil.example'>hello", "hello"],
    ["<link rel=stylesheet href='https://evil.example/x.css'>hello", "hello"],
  ])("%s leaves only its words", (html, words) => {
    const { kinds, text } = facts(read(html));
    expect(text.trim()).toBe(words);
    expect(kinds).toEqual([]);
  });

  test.each([
    "javascript:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "JAVASCRIPT:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "blob:https://x/1",
    "file:///etc/passwd",
    "/relative",
    "//evil.example",
    "#anchor",
  ])("a link to %j is text", (href) => {
    const anchor = `<a href="${href.replaceAll('"', "&quot;")}">words</a>`;
    expect(facts(read(anchor))).toEqual({ kinds: [], text: "words" });
  });

  test.each([
    "https://tracker.example/x.gif",
    "data:image/svg+xml,<svg/>",
    "mxc://",
    "mxc://a/b/c",
    "blob:x",
  ])("a picture at %s is not loaded", (src) =>
    expect(facts(read(`<img src="${src}" alt="pic">`))).toEqual({ kinds: [], text: "pic" }),
  );

  test("style, class, id, handlers and targets are not carried", () => {
    const tree = read(
      '<p style="position:fixed" class="x" id="root" onclick="a()" data-evil="1"><b tabindex="1" autofocus>b</b></p>',
    );
    expect(tree).toEqual([
      {
        kind: "element",
        tag: "p",
        children: [{ kind: "element", tag: "b", children: [{ kind: "text", text: "b" }] }],
      },
    ]);
  });

  test("a colour is six hexadecimal digits or none", () => {
    expect(facts(read('<span data-mx-color="#ff0000">x</span>')).kinds).toEqual(["coloured"]);
    for (const colour of ["red", "#f00", `#${"f".repeat(10_000)}`, "#ff0000;background:url(//evil)"]) {
      expect(facts(read(`<span data-mx-color="${colour}">x</span>`)).kinds).toEqual(["span"]);
    }
  });

  test("pictures stay small", () => {
    const [image] = read('<img src="mxc://a/b" width="99999999" height="-4">');
    expect(image).toMatchObject({ kind: "image", width: 800, height: undefined });
  });

  test("depth and length have ends", { timeout: 60_000 }, () => {
    const deep = read(`${"<blockquote>".repeat(200)}x${"</blockquote>".repeat(200)}`);
    expect(facts(deep).kinds.length).toBeLessThanOrEqual(100);
    expect(facts(read("<b>x</b>".repeat(1_100))).kinds.length).toBeLessThanOrEqual(2_001);
  });
});

describe("what people write", () => {
  test("code keeps its language and its lines", () => {
    expect(read('<pre><code class="evil language-rust">let x = 1;\n<b>y</b>\n</code></pre>')).toEqual([
      { kind: "code", language: "rust", text: "let x = 1;\ny" },
    ]);
  });

  test("spoilers, lists and tasks", () => {
    const tree = read(
      '<span data-mx-spoiler="why">x</span><ol start="3"><li>[x] done</li><li>plain</li></ol>',
    );
    expect(tree).toMatchObject([
      { kind: "spoiler", reason: "why" },
      {
        kind: "list",
        start: 3,
        children: [
          { kind: "task", isDone: true },
          { kind: "element", tag: "li" },
        ],
      },
    ]);
  });

  test("links to people and rooms stay inside", () => {
    const tree = read('<a href="https://matrix.to/#/@anna:example.org">Anna</a>');
    expect(tree).toMatchObject([{ kind: "link", target: { kind: "user", userId: "@anna:example.org" } }]);
  });
});
