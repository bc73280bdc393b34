import { expect, it } from "vitest";
import { piecesOf } from "./mirror";

const anna = { label: "@Anna (IT)", kind: "user", id: "@anna:example.org" } as const;

it("shows names as pills, and longer words as words", () => {
  expect(piecesOf("hi @Anna (IT), @Anna (IT)s and @room", [anna], true)).toEqual([
    { text: "hi ", kind: "text", at: 0 },
    { text: "@Anna (IT)", kind: "mention", at: 3 },
    { text: ", @Anna (IT)s and ", kind: "text", at: 13 },
    { text: "@room", kind: "room", at: 31 },
  ]);
});

it("calls nobody where one may not", () => {
  expect(piecesOf("hi @room", [], false)).toEqual([{ text: "hi @room", kind: "text", at: 0 }]);
});
