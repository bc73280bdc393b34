import { describe, expect, it } from "vitest";
import { renderMarkdown } from "./markdown";

const html = (text: string) => renderMarkdown(text).html;
const anna = { label: "@Anna Berg", kind: "user", id: "@anna:example.org" } as const;
const general = { label: "#general", kind: "channel", id: "!g:example.org" } as const;

describe("renderMarkdown", () => {
  it("leaves plain text alone, addresses and line breaks included", () => {
    expect(html("Good morning")).toBeUndefined();
    expect(html("one\ntwo\n\nthree")).toBeUndefined();
    expect(html("see https://example.org/a_b?c=1")).toBeUndefined();
    expect(html("a < b & c > d")).toBeUndefined();
    expect(html("<b>not bold</b>")).toBeUndefined();
  });

  it("says what is bold, italic, struck, code and hidden", () => {
    expect(html("**a** *b* ~~c~~ `d`")).toBe("<strong>a</strong> <em>b</em> <del>c</del> <code>d</code>");
    expect(html("the end: ||he *lives*||")).toBe("the end: <span data-mx-spoiler>he <em>lives</em></span>");
  });

  it("knows lists, tasks, tables and code blocks", () => {
    expect(html("- a\n- b")).toContain("<li>a</li>");
    expect(html("- [x] done\n- [ ] open")).toContain("☑ done");
    expect(html("|a|b|\n|-|-|\n|1|2|")).toContain("<table>");
    expect(html("```rust\nfn main() {}\n```")).toContain('<code class="language-rust">');
  });

  it("never passes on HTML or links that run something", () => {
    expect(html("**x** <img src=x onerror=alert(1)>")).not.toContain("<img");
    expect(html("[x](javascript:alert(1)) **y**")).not.toContain("href");
    expect(html('[x](https://e.org/"onclick=1)')).not.toContain('"onclick');
    expect(html('```x" onload="y\nz\n```')).not.toContain('" onload="');
  });

  it("links people and channels and tells who is meant", () => {
    const { html: found, mentions } = renderMarkdown("@Anna Berg see #general", {
      mentions: [anna, general],
      via: "example.org",
    });
    expect(found).toBe(
      '<a href="https://matrix.to/#/%40anna%3Aexample.org">Anna Berg</a> see ' +
        '<a href="https://matrix.to/#/!g%3Aexample.org?via=example.org">#general</a>',
    );
    expect(mentions).toEqual({ userIds: ["@anna:example.org"], room: false });
  });

  it("means nobody in code, in longer words, or whose name was changed", () => {
    expect(renderMarkdown("`@Anna Berg`", { mentions: [anna] }).mentions.userIds).toEqual([]);
    expect(renderMarkdown("@Anna Bergmann", { mentions: [anna] }).mentions.userIds).toEqual([]);
  });

  it("calls the room only if one may", () => {
    expect(renderMarkdown("hello @room").mentions.room).toBe(false);
    expect(renderMarkdown("hello @room!", { allowsRoom: true })).toEqual({
      html: undefined,
      mentions: { userIds: [], room: true },
    });
  });
});
