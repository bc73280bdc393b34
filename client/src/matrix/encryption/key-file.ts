// The file of room keys that clients exchange (CS API § Key export format): the keys as JSON, behind a passphrase.

const HEADER = "-----BEGIN MEGOLM SESSION DATA-----";
const FOOTER = "-----END MEGOLM SESSION DATA-----";
const VERSION = 1;
const SALT_BYTES = 16;
const MAC_BYTES = 32;
const ROUNDS = 500_000;
/** A file may ask for more rounds than ours; it may not stop the page for hours. */
const ROUNDS_MAX = 10_000_000;
const LINE_CHARS = 76;
const HEAD_BYTES = 1 + SALT_BYTES + SALT_BYTES + 4;

/** `damaged`: this is no such file, or not a whole one; `wrong`: the passphrase does not open it. */
export class KeyFileError extends Error {
  constructor(readonly kind: "damaged" | "wrong") {
    super(`the file of keys: ${kind}`);
  }
}

/** Encrypts keys for a file. */
export async function sealKeys(json: string, passphrase: string, rounds = ROUNDS): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const iv = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  // Bit 63 is cleared, so that no implementation's counter overflows.
  iv[8] = (iv[8] ?? 0) & 0x7f;
  const keys = await deriveKeys(passphrase, salt, rounds);
  const text = new TextEncoder().encode(json);
  const cipher = new Uint8Array(
    await crypto.subtle.encrypt({ name: "AES-CTR", counter: iv, length: 64 }, keys.aes, text),
  );
  const body = new Uint8Array(HEAD_BYTES + cipher.length);
  body[0] = VERSION;
  body.set(salt, 1);
  body.set(iv, 1 + SALT_BYTES);
  new DataView(body.buffer).setUint32(1 + 2 * SALT_BYTES, rounds);
  body.set(cipher, HEAD_BYTES);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", keys.hmac, body));
  const whole = new Uint8Array(body.length + MAC_BYTES);
  whole.set(body);
  whole.set(mac, body.length);
  const lines = toBase64(whole).match(new RegExp(`.{1,${LINE_CHARS}}`, "g")) ?? [];
  return [HEADER, ...lines, FOOTER, ""].join("\n");
}

/** The keys of a file, as JSON. Errors: `KeyFileError`. */
export async function openKeys(file: string, passphrase: string): Promise<string> {
  const [start, end] = [file.indexOf(HEADER), file.indexOf(FOOTER)];
  if (start < 0 || end < start) throw new KeyFileError("damaged");
  const whole = fromBase64(file.slice(start + HEADER.length, end));
  if (!whole || whole.length < HEAD_BYTES + MAC_BYTES || whole[0] !== VERSION)
    throw new KeyFileError("damaged");
  const body = whole.slice(0, -MAC_BYTES);
  const salt = body.slice(1, 1 + SALT_BYTES);
  const iv = body.slice(1 + SALT_BYTES, 1 + 2 * SALT_BYTES);
  const rounds = new DataView(body.buffer).getUint32(1 + 2 * SALT_BYTES);
  if (rounds === 0 || rounds > ROUNDS_MAX) throw new KeyFileError("damaged");
  const keys = await deriveKeys(passphrase, salt, rounds);
  if (!(await crypto.subtle.verify("HMAC", keys.hmac, whole.slice(-MAC_BYTES), body))) {
    throw new KeyFileError("wrong");
  }
  const algorithm = { name: "AES-CTR", counter: iv, length: 64 };
  return new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, keys.aes, body.slice(HEAD_BYTES)));
}

async function deriveKeys(passphrase: string, salt: Uint8Array<ArrayBuffer>, iterations: number) {
  const { subtle } = crypto;
  const secret = new TextEncoder().encode(passphrase);
  const key = await subtle.importKey("raw", secret, "PBKDF2", false, ["deriveBits"]);
  const bits = await subtle.deriveBits({ name: "PBKDF2", salt, iterations, hash: "SHA-512" }, key, 512);
  return {
    aes: await subtle.importKey("raw", bits.slice(0, 32), "AES-CTR", false, ["encrypt", "decrypt"]),
    hmac: await subtle.importKey("raw", bits.slice(32), { name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
      "verify",
    ]),
  };
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text.replace(/\s/g, "")), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}
