import * as v from "valibot";
import { readValue, writeValue } from "./storage";

const CREDENTIALS = "credentials";

const OAuthClient = v.object({
  clientId: v.string(),
  tokenEndpoint: v.string(),
  revocationEndpoint: v.optional(v.string()),
  /** The server's own page about the account: what other apps confirm there, this session does too. */
  accountUri: v.optional(v.string()),
});

const StoredCredentials = v.object({
  userId: v.string(),
  deviceId: v.string(),
  accessToken: v.string(),
  refreshToken: v.optional(v.string()),
  /** When the access token ends, ms since the epoch. */
  expiresTs: v.optional(v.number()),
  /** There if the session was begun by OAuth: how its tokens are renewed. */
  oauth: v.optional(OAuthClient),
  /** The server ended the session and wants the person to sign in again; the keys are still good. */
  isSoftLoggedOut: v.optional(v.boolean(), false),
});

/** What a session is continued with. Lies in IndexedDB alone. */
export type Credentials = v.InferInput<typeof StoredCredentials>;

/** The stored session; `undefined` if there is none, or none that can be read. */
export async function loadCredentials(): Promise<Credentials | undefined> {
  const parsed = v.safeParse(StoredCredentials, await readValue(CREDENTIALS));
  return parsed.success ? parsed.output : undefined;
}

export const saveCredentials = (credentials: Credentials): Promise<void> =>
  writeValue(CREDENTIALS, credentials);
