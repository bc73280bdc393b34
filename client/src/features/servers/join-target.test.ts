import { expect, test } from "vitest";
import { readJoinTarget } from "./join-target";

test("addresses and IDs are taken as they are", () => {
  expect(readJoinTarget(" #town:a.example ")).toEqual({ target: "#town:a.example", via: ["a.example"] });
  expect(readJoinTarget("!abc:a.example:8448")).toEqual({
    target: "!abc:a.example:8448",
    via: ["a.example:8448"],
  });
  expect(readJoinTarget("!without-server")).toEqual({ target: "!without-server", via: [] });
});

test("links name a room and the servers to ask", () => {
  expect(readJoinTarget("https://matrix.to/#/!abc:a.example?via=b.example&via=c.example")).toEqual({
    target: "!abc:a.example",
    via: ["b.example", "c.example"],
  });
  expect(readJoinTarget("matrix:r/town:a.example?action=join")).toEqual({
    target: "#town:a.example",
    via: ["a.example"],
  });
  expect(readJoinTarget("https://chat.a.example/room/%23town%3Aa.example")?.target).toBe("#town:a.example");
});

test("anything else is no target", () => {
  for (const text of ["", "town", "@anna:a.example", "https://a.example/", "javascript:alert(1)"])
    expect(readJoinTarget(text)).toBeUndefined();
});
