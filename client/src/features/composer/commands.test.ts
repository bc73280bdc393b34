import { describe, expect, it } from "vitest";
import { parseCommand } from "./commands";

describe("parseCommand", () => {
  it("takes what is no command as said", () => {
    expect(parseCommand("hello")).toMatchObject({ kind: "say", text: "hello", msgtype: "m.text" });
    expect(parseCommand("//me too")).toMatchObject({ kind: "say", text: "/me too" });
    expect(parseCommand("/usr/bin/env")).toMatchObject({ kind: "say", text: "/usr/bin/env" });
  });

  it("reads what is said in another way", () => {
    expect(parseCommand("/me waves")).toMatchObject({ kind: "say", msgtype: "m.emote", text: "waves" });
    expect(parseCommand("/shrug")).toMatchObject({ text: "¯\\_(ツ)_/¯", isPlain: true });
    expect(parseCommand("/plain **x**")).toMatchObject({ text: "**x**", isPlain: true });
    expect(parseCommand("/spoiler the end")).toMatchObject({ text: "||the end||" });
  });

  it("reads whom a command is about and why", () => {
    expect(parseCommand("/kick @ben:example.org too loud")).toEqual({
      kind: "kick",
      userId: "@ben:example.org",
      reason: "too loud",
    });
    expect(parseCommand("/kick ben")).toEqual({ kind: "incomplete", name: "kick" });
  });

  it("says which command it does not know", () => {
    expect(parseCommand("/dance now")).toEqual({ kind: "unknown", name: "dance" });
  });
});
