import { expect, test } from "vitest";
import { inClient } from "./next";

test("a page of the client is where one goes after the sign-in", () => {
  expect(inClient("/room/!a%3Ab?event=%24c")).toBe("/room/!a%3Ab?event=%24c");
});

test.each([
  "https://evil.example/",
  "//evil.example",
  "/\\evil.example",
  "javascript:alert(1)",
  "",
  "/login?next=/x",
])("%s leads home", (next) => expect(inClient(next)).toBe("/"));
