import { expect, it } from "vitest";
import { encryptFile } from "./encrypt-file";

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

it("encrypts so that the key, counter and hash give the file back, each file under its own key", async () => {
  const clear = new TextEncoder().encode("the plan").buffer;
  const { sealed, info } = await encryptFile(clear);
  expect(new Uint8Array(sealed)).not.toEqual(new Uint8Array(clear));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", sealed));
  expect(bytesOf(info.hashes.sha256)).toEqual(digest);
  const counter = bytesOf(info.iv);
  expect([...counter.subarray(8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  const key = await crypto.subtle.importKey("jwk", info.key, "AES-CTR", false, ["decrypt"]);
  const opened = await crypto.subtle.decrypt({ name: "AES-CTR", counter, length: 64 }, key, sealed);
  expect(new TextDecoder().decode(opened)).toBe("the plan");
  expect((await encryptFile(clear)).info.key.k).not.toBe(info.key.k);
});
