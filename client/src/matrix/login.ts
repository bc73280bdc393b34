import * as v from "valibot";
import type { Credentials } from "./credentials";

const Flows = v.object({ flows: v.array(v.object({ type: v.string() })) });
const LoggedIn = v.object({
  user_id: v.string(),
  device_id: v.string(),
  access_token: v.string(),
  refresh_token: v.optional(v.string()),
  expires_in_ms: v.optional(v.number()),
});
const Refusal = v.object({ errcode: v.string(), error: v.optional(v.string(), "") });

/** The server's refusal, by its errcode; `M_UNREACHABLE` (ours) if there was no answer. */
export class LoginError extends Error {
  constructor(
    readonly errcode: string,
    message: string,
  ) {
    super(message);
  }
}

/** The ways to log in that the server offers (CS API § Login). */
export async function loginFlows(baseUrl: string): Promise<readonly string[]> {
  const answer = v.parse(Flows, await ask(`${baseUrl}/_matrix/client/v3/login`, { method: "GET" }));
  return answer.flows.map(({ type }) => type);
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

async function ask(url: string, init: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    throw new LoginError("M_UNREACHABLE", String(cause));
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer;
  const refusal = v.safeParse(Refusal, answer);
  if (refusal.success) throw new LoginError(refusal.output.errcode, refusal.output.error);
  throw new LoginError("M_UNKNOWN", `the server answered ${response.status}`);
}
