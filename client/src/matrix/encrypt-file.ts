/** The key, address and hash of an encrypted file, as they travel in its message (CS API § Sending encrypted attachments). */
export interface EncryptedFileInfo {
  readonly v: "v2";
  readonly url: string;
  readonly key: JsonWebKey;
  readonly iv: string;
  readonly hashes: { readonly sha256: string };
}

/** Encrypts a file under a key of its own: AES-CTR with 256 bits, its counter's lower half starting at zero. */
export async function encryptFile(
  clear: ArrayBuffer,
): Promise<{ sealed: ArrayBuffer; info: Omit<EncryptedFileInfo, "url"> }> {
  const key = await crypto.subtle.generateKey({ name: "AES-CTR", length: 256 }, true, ["encrypt", "decrypt"]);
  const counter = new Uint8Array(16);
  crypto.getRandomValues(counter.subarray(0, 8));
  const sealed = await crypto.subtle.encrypt({ name: "AES-CTR", counter, length: 64 }, key, clear);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", sealed));
  const { k } = await crypto.subtle.exportKey("jwk", key);
  return {
    sealed,
    info: {
      v: "v2",
      key: { kty: "oct", key_ops: ["encrypt", "decrypt"], alg: "A256CTR", k: k ?? "", ext: true },
      iv: unpaddedBase64(counter),
      hashes: { sha256: unpaddedBase64(digest) },
    },
  };
}

const unpaddedBase64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes)).replace(/=+$/, "");
