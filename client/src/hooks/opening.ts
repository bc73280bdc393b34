import { create } from "zustand";
import { type Credentials, loadCredentials, saveCredentials } from "~/matrix/credentials";
import { Leadership } from "~/matrix/leader";
import type { Session } from "~/matrix/session";
import { clearValues } from "~/matrix/storage";
import { giveTokens } from "~/worker/register";
import { baseUrlOf, type ClientConfig } from "./config";

/** How far this tab is with the account. */
type Opening =
  /** `isWaiting`: the server does not answer, and it is asked again and again. */
  | { readonly phase: "opening"; readonly isWaiting: boolean }
  | { readonly phase: "open"; readonly session: Session }
  /** Another tab has the account open. */
  | { readonly phase: "elsewhere" }
  | { readonly phase: "failed"; readonly reason: string }
  /** `by`: who ended the session, if there was one: the person here, or somebody from elsewhere. */
  | { readonly phase: "signedOut"; readonly by: "here" | "elsewhere" | undefined }
  /** The server wants the person to sign in again; the keys are still here. */
  | { readonly phase: "softLoggedOut"; readonly credentials: Credentials };

export const useOpening = create<{ opening: Opening }>()(() => ({
  opening: { phase: "opening", isWaiting: false },
}));
const show = (opening: Opening) => useOpening.setState({ opening });

let config: ClientConfig | undefined;
let leadership: Leadership | undefined;
let session: Session | undefined;

/** Opens the account in this tab, once; call it where the account is needed. */
export async function startOpening(itsConfig: ClientConfig): Promise<void> {
  if (config) return;
  config = itsConfig;
  await reopen();
}

/** Opens the account whose credentials were just stored. */
export async function reopen(): Promise<void> {
  if (!config || session) return;
  show({ phase: "opening", isWaiting: false });
  if (!(await loadCredentials())) return show({ phase: "signedOut", by: undefined });
  leadership?.leave();
  leadership ??= new Leadership({
    onLead: () => void open(),
    onElsewhere: () => show({ phase: "elsewhere" }),
    onYield: async () => close(),
  });
  leadership.seek();
}

/** Takes the account over from the tab that has it. */
export function useAccountHere(): void {
  show({ phase: "opening", isWaiting: false });
  leadership?.take();
}

/** After a failure: tries once more. */
export const retryOpening = (): void => void open();

/** Ends the session at the server and forgets it here, with its keys. */
export async function signOut(): Promise<void> {
  const leaving = session;
  close();
  if (leaving) await leaving.logOut();
  else await forgetEverything();
  leadership?.leave();
  show({ phase: "signedOut", by: "here" });
}

async function open(): Promise<void> {
  if (!config) return;
  show({ phase: "opening", isWaiting: false });
  try {
    const credentials = await loadCredentials();
    if (!credentials) {
      leadership?.leave();
      return show({ phase: "signedOut", by: undefined });
    }
    if (credentials.isSoftLoggedOut) return show({ phase: "softLoggedOut", credentials });
    const { Session } = await import("~/matrix/session");
    const opened = await Session.begin(credentials, baseUrlOf(config));
    session = opened;
    giveTokens((address) => opened.media.tokenFor(address));
    opened.onLoggedOut = (isSoft) => void ended(opened, isSoft);
    await opened.ready(() => {
      if (session === opened) show({ phase: "opening", isWaiting: true });
    });
    if (session === opened) show({ phase: "open", session: opened });
  } catch (error) {
    close();
    show({ phase: "failed", reason: error instanceof Error ? error.message : String(error) });
  }
}

/** The server no longer knows the session. */
async function ended(which: Session, isSoft: boolean): Promise<void> {
  if (session !== which) return;
  close();
  if (isSoft) {
    const credentials = { ...which.tokens.current, isSoftLoggedOut: true };
    await saveCredentials(credentials);
    return show({ phase: "softLoggedOut", credentials });
  }
  await which.forget();
  leadership?.leave();
  show({ phase: "signedOut", by: "elsewhere" });
}

function close(): void {
  session?.close();
  session = undefined;
}

/** Forgets an account that could not be opened, with every store of it. */
async function forgetEverything(): Promise<void> {
  await clearValues();
  const databases = (await indexedDB.databases?.().catch(() => [])) ?? [];
  for (const { name } of databases) if (name?.startsWith("echorift-")) indexedDB.deleteDatabase(name);
}
