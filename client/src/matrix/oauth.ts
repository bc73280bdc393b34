import * as v from "valibot";
import type { Credentials } from "./credentials";
import { ask, LoginError } from "./login";

// The OAuth 2.0 API of Matrix (CS API § OAuth 2.0 API): a code with PKCE, for a client that registers itself.

const PENDING = "echorift.oauth";
const DEVICE_ID_CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DEVICE_ID_LENGTH = 10;

const Metadata = v.object({
  authorization_endpoint: v.string(),
  token_endpoint: v.string(),
  registration_endpoint: v.string(),
  revocation_endpoint: v.optional(v.string()),
  account_management_uri: v.optional(v.string()),
});

const Registered = v.object({ client_id: v.string() });
const Redeemed = v.object({
  access_token: v.string(),
  refresh_token: v.optional(v.string()),
  expires_in: v.optional(v.number()),
});
const WhoAmI = v.object({ user_id: v.string(), device_id: v.optional(v.string()) });

const PendingLogin = v.object({
  state: v.string(),
  verifier: v.string(),
  clientId: v.string(),
  redirectUri: v.string(),
  tokenEndpoint: v.string(),
  revocationEndpoint: v.optional(v.string()),
  accountUri: v.optional(v.string()),
  deviceId: v.string(),
  /** The page that was wanted, a path of this client. */
  next: v.string(),
});

interface OAuthStart {
  readonly brand: string;
  readonly serverName: string;
  readonly next: string;
  /** Continues the session of this device, whose keys are here. */
  readonly deviceId?: string | undefined;
  /** Asks for a new account instead. */
  readonly isNewAccount?: boolean;
}

/** Registers this client and remembers what is asked; the browser is to go to the address it gives. */
export async function startOAuth(baseUrl: string, options: OAuthStart): Promise<string> {
  const metadata = v.parse(
    Metadata,
    await ask(`${baseUrl}/_matrix/client/v1/auth_metadata`, { method: "GET" }),
  );
  const { origin, protocol } = window.location;
  const redirectUri = `${origin}/login`;
  const isSecure = protocol === "https:";
  const registered = await ask(metadata.registration_endpoint, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      client_name: options.brand,
      client_uri: isSecure ? `${origin}/` : `https://${options.serverName}/`,
      // Without TLS only a loopback address may take codes, as a native client's, whose port is not registered.
      redirect_uris: [isSecure ? redirectUri : `http://${window.location.hostname}/login`],
      application_type: isSecure ? "web" : "native",
      token_endpoint_auth_method: "none",
      response_types: ["code"],
      grant_types: ["authorization_code", "refresh_token"],
    }),
  });
  const { client_id: clientId } = v.parse(Registered, registered);
  const pending: v.InferOutput<typeof PendingLogin> = {
    state: secret(),
    verifier: secret(),
    clientId,
    redirectUri,
    tokenEndpoint: metadata.token_endpoint,
    ...(metadata.revocation_endpoint ? { revocationEndpoint: metadata.revocation_endpoint } : {}),
    ...(metadata.account_management_uri ? { accountUri: metadata.account_management_uri } : {}),
    deviceId: options.deviceId ?? newDeviceId(),
    next: options.next,
  };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  const url = new URL(metadata.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: "code",
    response_mode: "query",
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: `urn:matrix:client:api:* urn:matrix:client:device:${pending.deviceId}`,
    state: pending.state,
    code_challenge: await challengeOf(pending.verifier),
    code_challenge_method: "S256",
    ...(options.isNewAccount ? { prompt: "create" } : {}),
  }).toString();
  return url.href;
}

/** Changes the code that the browser brought back for a session. Each code, and what was remembered for it, is used once. */
export async function finishOAuth(
  baseUrl: string,
  answer: { code: string; state: string },
): Promise<{ credentials: Credentials; next: string }> {
  const stored = sessionStorage.getItem(PENDING);
  sessionStorage.removeItem(PENDING);
  const parsed = v.safeParse(PendingLogin, stored ? JSON.parse(stored) : undefined);
  if (!parsed.success || parsed.output.state !== answer.state) {
    throw new LoginError("M_UNKNOWN", "this tab asked for no such sign-in");
  }
  const pending = parsed.output;
  const tokens = v.parse(
    Redeemed,
    await ask(pending.tokenEndpoint, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "authorization_code",
        code: answer.code,
        redirect_uri: pending.redirectUri,
        client_id: pending.clientId,
        code_verifier: pending.verifier,
      }),
    }),
  );
  const whoAmI = v.parse(
    WhoAmI,
    await ask(`${baseUrl}/_matrix/client/v3/account/whoami`, {
      headers: { Authorization: `Bearer ${tokens.access_token}` },
    }),
  );
  const credentials: Credentials = {
    userId: whoAmI.user_id,
    deviceId: whoAmI.device_id ?? pending.deviceId,
    accessToken: tokens.access_token,
    ...(tokens.refresh_token ? { refreshToken: tokens.refresh_token } : {}),
    ...(tokens.expires_in === undefined ? {} : { expiresTs: Date.now() + tokens.expires_in * 1000 }),
    oauth: {
      clientId: pending.clientId,
      tokenEndpoint: pending.tokenEndpoint,
      ...(pending.revocationEndpoint ? { revocationEndpoint: pending.revocationEndpoint } : {}),
      ...(pending.accountUri ? { accountUri: pending.accountUri } : {}),
    },
  };
  return { credentials, next: pending.next };
}

const base64url = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const secret = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/** The S256 challenge of a verifier (RFC 7636 § 4.2). */
async function challengeOf(verifier: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

function newDeviceId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(DEVICE_ID_LENGTH));
  return Array.from(bytes, (byte) => DEVICE_ID_CHARS.charAt(byte % DEVICE_ID_CHARS.length)).join("");
}
