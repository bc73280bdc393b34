import type { EncryptedFile } from "./types";

/** Types that a browser shows in a frame of ours without running anything in it. Others are only saved. */
const SHOWN_TYPES = /^(image\/(png|jpeg|gif|webp|avif|bmp)|video\/(mp4|webm|ogg|quicktime)|audio\/[\w.+-]+)$/;

/** A type that may stand on an object URL; everything else becomes bytes without a meaning. */
export const safeType = (mimetype: string): string =>
  SHOWN_TYPES.test(mimetype) ? mimetype : "application/octet-stream";

/** Decrypts an attachment and checks its hash first (CS API § Sending encrypted attachments). Rejects if it was changed. */
export async function decryptAttachment(bytes: ArrayBuffer, file: EncryptedFile): Promise<ArrayBuffer> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  if (toBase64(digest) !== file.hashes.sha256.replace(/=+$/, "")) {
    throw new Error("the file is not the one that was sent");
  }
  const k = file.key.k.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  const jwk = { kty: "oct", alg: "A256CTR", k, ext: true, key_ops: ["decrypt"] };
  const key = await crypto.subtle.importKey("jwk", jwk, "AES-CTR", false, ["decrypt"]);
  const counter = fromBase64(file.iv);
  return crypto.subtle.decrypt({ name: "AES-CTR", counter, length: 64 }, key, bytes);
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/=+$/, "");
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}
