import { expect, test } from "vitest";
import { firstWebLink, linkTarget, splitLinks } from "./links";

test("bare addresses end before the sentence does", () => {
  expect(splitLinks("see https://a.example/x_(y), or (http://b.example). bye")).toEqual([
    "see ",
    { text: "https://a.example/x_(y)", target: { kind: "outside", href: "https://a.example/x_(y)" } },
    ", or (",
    { text: "http://b.example", target: { kind: "outside", href: "http://b.example/" } },
    "). bye",
  ]);
});

test("a text without addresses is one part", () => {
  expect(splitLinks("nothing javascript:alert(1) here")).toEqual(["nothing javascript:alert(1) here"]);
});

test.each([
  ["https://matrix.to/#/%23general%3Aexample.org", { kind: "room", room: "#general:example.org" }],
  [
    "https://matrix.to/#/!abc:example.org/$event?via=x",
    { kind: "room", room: "!abc:example.org", eventId: "$event" },
  ],
  ["matrix:u/anna:example.org", { kind: "user", userId: "@anna:example.org" }],
  ["matrix:roomid/abc:example.org/e/event", { kind: "room", room: "!abc:example.org", eventId: "$event" }],
  ["https://matrix.to/#/nonsense", { kind: "outside" }],
])("%s is understood", (href, target) => expect(linkTarget(href)).toMatchObject(target));

test("previews are for the web's links only", () => {
  expect(firstWebLink("mailto:x@y.example then https://z.example/a")).toBe("https://z.example/a");
  expect(firstWebLink("nothing")).toBeUndefined();
});
