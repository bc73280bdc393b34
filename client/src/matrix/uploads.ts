import * as v from "valibot";
import type { SessionContext } from "./context";
import { type EncryptedFileInfo, encryptFile } from "./encrypt-file";
import type { Tokens } from "./tokens";

const Uploaded = v.object({ content_uri: v.string() });
const Refusal = v.object({
  errcode: v.optional(v.string(), "M_UNKNOWN"),
  error: v.optional(v.string(), ""),
  retry_after_ms: v.optional(v.number()),
});

/** A server that asks to wait is asked so often. */
const ATTEMPTS_MAX = 5;
const WAIT_MS = 2_000;

/** A file in the media repository, in the clear or encrypted. */
export type StoredFile = { readonly url: string } | { readonly file: EncryptedFileInfo };

/** Why a file did not get there: `tooLarge` and `refused` will not change by trying again. */
export class UploadError extends Error {
  constructor(
    readonly reason: "tooLarge" | "refused" | "unreachable" | "cancelled",
    message = "",
  ) {
    super(message);
  }
}

interface UploadOptions {
  readonly name: string;
  readonly type: string;
  readonly isEncrypted: boolean;
  /** 0 to 1. */
  readonly onProgress?: (share: number) => void;
  readonly signal: AbortSignal;
}

/** Puts files into the media repository. */
export class Uploads {
  private asked: Promise<number | undefined> | undefined;

  constructor(
    private readonly context: SessionContext,
    private readonly tokens: Tokens,
  ) {}

  /** How large a file may be, in bytes; `undefined` if the server does not say. */
  bytesMax(): Promise<number | undefined> {
    this.asked ??= this.context.client.getMediaConfig(true).then(
      (config) => config["m.upload.size"],
      () => {
        this.asked = undefined;
        return undefined;
      },
    );
    return this.asked;
  }

  /** Uploads a file; for an encrypted room, encrypted and without its name and type. */
  async upload(
    blob: Blob,
    { name, type, isEncrypted, onProgress, signal }: UploadOptions,
  ): Promise<StoredFile> {
    const transfer = { onProgress: onProgress ?? (() => {}), signal };
    if (!isEncrypted) return { url: await this.put(blob, { ...transfer, name, type }) };
    const { sealed, info } = await encryptFile(await blob.arrayBuffer());
    const url = await this.put(new Blob([sealed]), { ...transfer, name: "", type: "" });
    return { file: { ...info, url } };
  }

  private async put(blob: Blob, transfer: Transfer): Promise<string> {
    const query = transfer.name ? `?filename=${encodeURIComponent(transfer.name)}` : "";
    const address = `${this.context.client.baseUrl}/_matrix/media/v3/upload${query}`;
    for (let attempt = 1; ; attempt++) {
      const token = await this.tokens.fresh().catch((error: unknown) => {
        throw new UploadError("unreachable", String(error));
      });
      const { status, answer } = await post(address, token, blob, transfer);
      if (status === 200) {
        const uploaded = v.safeParse(Uploaded, answer);
        if (uploaded.success) return uploaded.output.content_uri;
        throw new UploadError("refused", "the server's answer was not understood");
      }
      const parsed = v.safeParse(Refusal, answer);
      const refusal = parsed.success ? parsed.output : { errcode: "M_UNKNOWN", error: "" };
      if (status === 429 && attempt < ATTEMPTS_MAX) {
        await pause(("retry_after_ms" in refusal && refusal.retry_after_ms) || WAIT_MS, transfer.signal);
        continue;
      }
      if (status === 413 || refusal.errcode === "M_TOO_LARGE") throw new UploadError("tooLarge");
      throw new UploadError(status >= 500 ? "unreachable" : "refused", refusal.error);
    }
  }
}

interface Transfer {
  readonly name: string;
  readonly type: string;
  readonly onProgress: (share: number) => void;
  readonly signal: AbortSignal;
}

/** `fetch` tells nothing of the way up; this does. */
function post(
  address: string,
  token: string,
  blob: Blob,
  { type, onProgress, signal }: Transfer,
): Promise<{ status: number; answer: unknown }> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    const settle = (end: () => void) => {
      signal.removeEventListener("abort", abort);
      end();
    };
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onload = () =>
      settle(() => resolve({ status: request.status, answer: parse(request.responseText) }));
    request.onerror = () => settle(() => reject(new UploadError("unreachable")));
    request.onabort = () => settle(() => reject(new UploadError("cancelled")));
    request.open("POST", address);
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.setRequestHeader("Content-Type", type || "application/octet-stream");
    signal.addEventListener("abort", abort);
    if (signal.aborted) settle(() => reject(new UploadError("cancelled")));
    else request.send(blob);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(new UploadError("cancelled"));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", end);
      resolve();
    }, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
