import type { SessionContext } from "./context";
import type { Tokens } from "./tokens";

/** Addresses of files in the media repository. They need the access token: the service worker adds it, or `load` does. */
export class MediaUrls {
  constructor(
    private readonly context: SessionContext,
    private readonly tokens: Tokens,
  ) {}

  /** The address of a file, or of a picture of this size cut from it; `undefined` for what is no `mxc://` address. */
  address(
    mxc: string | undefined,
    size?: { width: number; height: number; method?: "crop" | "scale" },
  ): string | undefined {
    if (!mxc?.startsWith("mxc://")) return undefined;
    const { client } = this.context;
    const url = size
      ? client.mxcUrlToHttp(mxc, size.width, size.height, size.method ?? "crop", false, true, true)
      : client.mxcUrlToHttp(mxc, undefined, undefined, undefined, false, true, true);
    return url ?? undefined;
  }

  /** Uploads a picture and gives its `mxc://` address. */
  async upload(file: File): Promise<string> {
    const { content_uri: address } = await this.context.client.uploadContent(file, { type: file.type });
    return address;
  }

  /** The token for an address of the media repository; none for any other: the service worker asks for what pages ask of it. */
  async tokenFor(address: string): Promise<string | undefined> {
    if (!address.startsWith(`${this.context.client.baseUrl}/_matrix/client/v1/media/`)) return undefined;
    return this.tokens.fresh();
  }

  /** Fetches a file with this session's token. The caller revokes the object URL it makes of it. */
  async load(address: string, signal?: AbortSignal): Promise<Blob> {
    const token = await this.tokens.fresh();
    const response = await fetch(address, {
      headers: { Authorization: `Bearer ${token}` },
      ...(signal ? { signal } : {}),
    });
    if (!response.ok) throw new Error(`the file was not found (${response.status})`);
    return response.blob();
  }
}
