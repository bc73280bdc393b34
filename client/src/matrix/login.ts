import * as v from "valibot";
import type { Credentials } from "./credentials";

const LoggedIn = v.object({
  user_id: v.string(),
  device_id: v.string(),
  access_token: v.string(),
  refresh_token: v.optional(v.string()),
  expires_in_ms: v.optional(v.number()),
});
const Refusal = v.object({
  errcode: v.string(),
  error: v.optional(v.string(), ""),
  retry_after_ms: v.optional(v.number()),
  /** Ours: a new password may be chosen here and now (docs/directory.md § Passwords). */
  password_change: v.optional(v.boolean(), false),
});
const MasterKeys = v.object({ master_keys: v.optional(v.record(v.string(), v.unknown()), {}) });

/** The server's refusal, by its errcode; `M_UNREACHABLE` (ours) if there was no answer, or none that can be read. */
export class LoginError extends Error {
  constructor(
    readonly errcode: string,
    message: string,
    readonly status = 0,
    readonly retryAfterMs?: number,
    readonly mayChangePassword = false,
  ) {
    super(message);
  }
}

/** Logs in with a name and a password; `deviceId` continues a session that was logged out softly. */
export async function loginWithPassword(
  baseUrl: string,
  {
    user,
    password,
    deviceId,
    deviceName,
  }: { user: string; password: string; deviceId?: string; deviceName: string },
): Promise<Credentials> {
  const answer = v.parse(
    LoggedIn,
    await ask(`${baseUrl}/_matrix/client/v3/login`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        type: "m.login.password",
        identifier: { type: "m.id.user", user },
        password,
        refresh_token: true,
        initial_device_display_name: deviceName,
        ...(deviceId ? { device_id: deviceId } : {}),
      }),
    }),
  );
  return {
    userId: answer.user_id,
    deviceId: answer.device_id,
    accessToken: answer.access_token,
    ...(answer.refresh_token ? { refreshToken: answer.refresh_token } : {}),
    ...(answer.expires_in_ms === undefined ? {} : { expiresTs: Date.now() + answer.expires_in_ms }),
  };
}

/** Chooses a new password in the company's directory, for somebody whom the old one does not let in any more. */
export async function changePassword(
  baseUrl: string,
  { user, password, newPassword }: { user: string; password: string; newPassword: string },
): Promise<void> {
  await ask(`${baseUrl}/_echorift/v1/login/password`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user, password, new_password: newPassword }),
  });
}

/** True if nobody has made keys for this account yet: its first sign-in anywhere. */
export async function isNewAccount(baseUrl: string, credentials: Credentials): Promise<boolean> {
  const answer = await ask(`${baseUrl}/_matrix/client/v3/keys/query`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${credentials.accessToken}` },
    body: JSON.stringify({ device_keys: { [credentials.userId]: [] } }),
  });
  return v.parse(MasterKeys, answer).master_keys[credentials.userId] === undefined;
}

/** What to say about a failed sign-in: the name of a sentence. */
export type LoginFailure =
  | "wrong"
  | "locked"
  | "deactivated"
  | "disabled"
  | "expired"
  | "passwordExpired"
  | "passwordMustChange"
  | "passwordWeak"
  | "directoryAway"
  | "tooMany"
  | "unreachable"
  | "failed";

/** Which sentence fits a refusal (docs/accounts.md, docs/directory.md § When a login is refused). */
export function failureOf(error: unknown): LoginFailure {
  if (!(error instanceof LoginError)) return "failed";
  switch (error.errcode) {
    case "M_FORBIDDEN":
      return "wrong";
    case "M_USER_LOCKED":
    case "M_USER_SUSPENDED":
      return "locked";
    case "M_USER_DEACTIVATED":
      return "deactivated";
    case "ORG.ECHORIFT.ACCOUNT_DISABLED":
      return "disabled";
    case "ORG.ECHORIFT.ACCOUNT_EXPIRED":
      return "expired";
    case "ORG.ECHORIFT.PASSWORD_EXPIRED":
      return "passwordExpired";
    case "ORG.ECHORIFT.PASSWORD_MUST_CHANGE":
      return "passwordMustChange";
    case "M_WEAK_PASSWORD":
      return "passwordWeak";
    case "M_LIMIT_EXCEEDED":
      return "tooMany";
    case "M_UNREACHABLE":
      return "unreachable";
    default:
      return error.status === 503 ? "directoryAway" : "failed";
  }
}

/** One request without a session; fails with the server's refusal. */
export async function ask(url: string, init: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    throw new LoginError("M_UNREACHABLE", String(cause));
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer;
  const refusal = v.safeParse(Refusal, answer);
  if (refusal.success) {
    const { errcode, error, retry_after_ms, password_change } = refusal.output;
    throw new LoginError(errcode, error, response.status, retry_after_ms, password_change);
  }
  // A proxy whose server is away answers in words of its own.
  const isAway = response.status >= 502 && response.status <= 504;
  const errcode = isAway ? "M_UNREACHABLE" : response.status === 404 ? "M_UNRECOGNIZED" : "M_UNKNOWN";
  throw new LoginError(errcode, `the server answered ${response.status}`, response.status);
}
