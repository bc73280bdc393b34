import { expect, test } from "vitest";
import { decryptAttachment, safeType } from "./attachments";

const base64 = (bytes: ArrayBuffer | Uint8Array) =>
  Buffer.from(bytes as Uint8Array)
    .toString("base64")
    .replace(/=+$/, "");

async function encrypted(words: string) {
  const iv = new Uint8Array(16);
  crypto.getRandomValues(iv.subarray(0, 8));
  const key = await crypto.subtle.generateKey({ name: "AES-CTR", length: 256 }, true, ["encrypt"]);
  const bytes = await crypto.subtle.encrypt(
    { name: "AES-CTR", counter: iv, length: 64 },
    key,
    new TextEncoder().encode(words),
  );
  const { k = "" } = await crypto.subtle.exportKey("jwk", key);
  const sha256 = base64(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  return { bytes, file: { url: "mxc://a/b", key: { k }, iv: base64(iv), hashes: { sha256 } } };
}

test("an attachment is decrypted with its own key", async () => {
  const { bytes, file } = await encrypted("a picture");
  expect(new TextDecoder().decode(await decryptAttachment(bytes, file))).toBe("a picture");
});

test("a changed attachment is refused", async () => {
  const { bytes, file } = await encrypted("a picture");
  new Uint8Array(bytes)[0] = 7;
  await expect(decryptAttachment(bytes, file)).rejects.toThrow("not the one");
});

test("what a browser could run has no type", () => {
  expect(safeType("image/png")).toBe("image/png");
  for (const type of ["text/html", "image/svg+xml", "application/pdf", "audio/x;script", ""]) {
    expect(safeType(type)).toBe("application/octet-stream");
  }
});
