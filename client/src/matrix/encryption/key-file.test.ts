import { expect, test } from "vitest";
import { KeyFileError, openKeys, sealKeys } from "./key-file";

const ROUNDS = 1_000;
const keys = JSON.stringify([{ room_id: "!a:b", session_key: "ü".repeat(100) }]);

test("what was sealed opens with its passphrase", async () => {
  const file = await sealKeys(keys, "grüner Tee", ROUNDS);
  expect(file).toMatch(/^-----BEGIN MEGOLM SESSION DATA-----\n/);
  expect(await openKeys(file, "grüner Tee")).toBe(keys);
  expect(await openKeys(file.replaceAll("\n", "\r\n"), "grüner Tee")).toBe(keys);
});

test("another passphrase, and a file that was changed, do not open", async () => {
  const file = await sealKeys(keys, "right", ROUNDS);
  await expect(openKeys(file, "wrong")).rejects.toMatchObject({ kind: "wrong" });
  const lines = file.split("\n");
  lines[2] = (lines[2] ?? "").replace(/^./, (char) => (char === "A" ? "B" : "A"));
  await expect(openKeys(lines.join("\n"), "right")).rejects.toMatchObject({ kind: "wrong" });
});

test.each(["", "no keys", "-----BEGIN MEGOLM SESSION DATA-----\nAAAA\n-----END MEGOLM SESSION DATA-----"])(
  "%j is no file of keys",
  async (file) => {
    await expect(openKeys(file, "x")).rejects.toBeInstanceOf(KeyFileError);
  },
);
