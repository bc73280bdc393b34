import { baseUrlOf, type ClientConfig } from "~/hooks/config";
import { loadCredentials } from "~/matrix/credentials";
import type { Session } from "~/matrix/session";
import { giveTokens } from "~/worker/register";

let opening: Promise<Session | undefined> | undefined;

/** The session of this tab, opened once; `undefined` if nobody is logged in. The SDK is fetched only for it. */
export function openSession(config: ClientConfig): Promise<Session | undefined> {
  opening ??= open(config);
  return opening;
}

/** After a log-out: the next visitor of the shell starts anew. */
export function forgetSession(): void {
  opening = undefined;
}

async function open(config: ClientConfig): Promise<Session | undefined> {
  const credentials = await loadCredentials();
  if (!credentials) {
    opening = undefined;
    return undefined;
  }
  const { Session } = await import("~/matrix/session");
  const session = await Session.open(credentials, baseUrlOf(config));
  giveTokens((address) => session.media.tokenFor(address));
  return session;
}
