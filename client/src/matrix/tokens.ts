import * as v from "valibot";
import { type Credentials, saveCredentials } from "./credentials";

/** A token that has less left than this is renewed before it is used: clocks differ, and requests take time. */
const RENEW_BEFORE_MS = 30_000;

const Renewed = v.object({
  access_token: v.string(),
  refresh_token: v.optional(v.string()),
  expires_in_ms: v.optional(v.number()),
  expires_in: v.optional(v.number()),
});

/** Why a token could not be renewed: `ended` is the server's word that this session is over, anything else may pass. */
class RenewalError extends Error {
  constructor(
    message: string,
    readonly hasEnded: boolean,
  ) {
    super(message);
  }
}

/**
 * The access token of one session, renewed before it ends (also after sleep), once at a time, for password and OAuth
 * sessions alike (CS API § Refreshing access tokens). The SDK does that for OAuth sessions alone.
 */
export class Tokens {
  private renewal: Promise<void> | undefined;
  private isForgotten = false;

  /** The account was locked: its sessions wait for somebody to unlock it (CS API § Account locking). */
  onLocked: () => void = () => {};

  constructor(
    private credentials: Credentials,
    private readonly baseUrl: string,
    private readonly now: () => number = Date.now,
  ) {}

  /** From now on nothing is saved any more: a renewal that is under way must not bring back a session that was left. */
  forget(): void {
    this.isForgotten = true;
  }

  get current(): Credentials {
    return this.credentials;
  }

  /** A token that is good for the next request. */
  async fresh(): Promise<string> {
    const { expiresTs, refreshToken } = this.credentials;
    if (refreshToken && expiresTs !== undefined && expiresTs - this.now() < RENEW_BEFORE_MS)
      await this.renew();
    return this.credentials.accessToken;
  }

  /** `fetch` with a good token in place of the one the SDK knows, replayed once if it was refused all the same. */
  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const headers = new Headers(init?.headers);
    if (!headers.has("Authorization")) return globalThis.fetch(input, init);
    const used = await this.fresh().catch((error: unknown) => {
      // Offline, overloaded or over: the old token may still do, and if not, the refusal says so.
      if (error instanceof RenewalError) return this.credentials.accessToken;
      throw error;
    });
    headers.set("Authorization", `Bearer ${used}`);
    const response = await globalThis.fetch(input, { ...init, headers });
    if (response.status !== 401) return response;
    const errcode = await errcodeOf(response);
    if (errcode === "M_USER_LOCKED") this.onLocked();
    if (errcode !== "M_UNKNOWN_TOKEN" || !this.credentials.refreshToken) return response;
    try {
      // Somebody else may have renewed it meanwhile.
      if (this.credentials.accessToken === used) await this.renew();
    } catch (error) {
      if (error instanceof RenewalError && error.hasEnded) return response;
      throw error;
    }
    headers.set("Authorization", `Bearer ${this.credentials.accessToken}`);
    return globalThis.fetch(input, { ...init, headers });
  };

  /** Ends the tokens at the server: at the endpoint that gave them, or by the log-out of the others. */
  async revoke(logOut: () => Promise<unknown>): Promise<void> {
    const { oauth, refreshToken, accessToken } = this.credentials;
    this.forget();
    if (!oauth?.revocationEndpoint) return void (await logOut());
    await globalThis.fetch(oauth.revocationEndpoint, {
      method: "POST",
      body: new URLSearchParams({ token: refreshToken ?? accessToken, client_id: oauth.clientId }),
    });
  }

  private renew(): Promise<void> {
    this.renewal ??= this.askForNew().finally(() => {
      this.renewal = undefined;
    });
    return this.renewal;
  }

  private async askForNew(): Promise<void> {
    const { refreshToken, oauth } = this.credentials;
    if (!refreshToken) throw new RenewalError("this session has no refresh token", true);
    const request: [string, RequestInit] = oauth
      ? [
          oauth.tokenEndpoint,
          {
            method: "POST",
            body: new URLSearchParams({
              grant_type: "refresh_token",
              refresh_token: refreshToken,
              client_id: oauth.clientId,
            }),
          },
        ]
      : [
          `${this.baseUrl}/_matrix/client/v3/refresh`,
          {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ refresh_token: refreshToken }),
          },
        ];
    let response: Response;
    try {
      response = await globalThis.fetch(...request);
    } catch (cause) {
      throw new RenewalError(`the server was not reached: ${String(cause)}`, false);
    }
    const answer: unknown = await response.json().catch(() => undefined);
    if (!response.ok) {
      const isOver = response.status === 400 || response.status === 401 || response.status === 403;
      throw new RenewalError(`the server answered ${response.status}`, isOver);
    }
    const renewed = v.safeParse(Renewed, answer);
    if (!renewed.success) throw new RenewalError("the server's answer was not understood", false);
    const { access_token, refresh_token, expires_in_ms, expires_in } = renewed.output;
    const lifetimeMs = expires_in_ms ?? (expires_in === undefined ? undefined : expires_in * 1000);
    this.credentials = {
      ...this.credentials,
      accessToken: access_token,
      refreshToken: refresh_token ?? refreshToken,
      ...(lifetimeMs === undefined ? {} : { expiresTs: this.now() + lifetimeMs }),
    };
    if (!this.isForgotten) await saveCredentials(this.credentials);
  }
}

async function errcodeOf(response: Response): Promise<string | undefined> {
  const refusal: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  const parsed = v.safeParse(v.object({ errcode: v.string() }), refusal);
  return parsed.success ? parsed.output.errcode : undefined;
}
