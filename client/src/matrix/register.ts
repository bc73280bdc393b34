import * as v from "valibot";
import type { Credentials } from "./credentials";
import { ask, LoginError } from "./login";

/** What the server wants before it makes an account (CS API § User-Interactive Authentication). */
const Wanted = v.object({
  session: v.string(),
  flows: v.array(v.object({ stages: v.array(v.string()) })),
  completed: v.optional(v.array(v.string()), []),
  params: v.optional(v.record(v.string(), v.unknown()), {}),
  errcode: v.optional(v.string()),
  error: v.optional(v.string(), ""),
});
const Registered = v.object({
  user_id: v.string(),
  device_id: v.string(),
  access_token: v.string(),
  refresh_token: v.optional(v.string()),
  expires_in_ms: v.optional(v.number()),
});
const Translated = v.object({ name: v.string(), url: v.string() });
const Policies = v.object({ policies: v.record(v.string(), v.record(v.string(), v.unknown())) });
const Letter = v.object({ sid: v.string() });

interface NewAccount {
  readonly username: string;
  readonly password: string;
  readonly deviceName: string;
}

interface Policy {
  readonly name: string;
  readonly url: string;
}

/** What is asked next. `page`: something that only the server's own page can ask. */
export type Stage =
  | { readonly kind: "token"; readonly isWrong: boolean }
  | { readonly kind: "terms"; readonly policies: readonly Policy[] }
  | { readonly kind: "email"; readonly isUnconfirmed: boolean }
  | { readonly kind: "page"; readonly url: string };

/** A proof for a stage. */
export type Proof =
  | { readonly type: "m.login.registration_token"; readonly token: string }
  | { readonly type: "m.login.terms" }
  | {
      readonly type: "m.login.email.identity";
      readonly threepid_creds: { readonly sid: string; readonly client_secret: string };
    }
  /** Of a page: the server knows by the session that it is done. */
  | { readonly type?: undefined };

export type Step =
  | { readonly done: Credentials }
  | { readonly done?: undefined; readonly session: string; readonly stage: Stage };

const DUMMY = "m.login.dummy";
const TOKEN = "m.login.registration_token";
const TERMS = "m.login.terms";
const EMAIL = "m.login.email.identity";
const KNOWN: ReadonlySet<string> = new Set([DUMMY, TOKEN, TERMS, EMAIL]);
/** A server that asks for the dummy for ever is not asked for ever. */
const DUMMIES_MAX = 3;

/** Asks for an account, with a proof if one was asked for; tells what comes next, or gives the session of the new account. */
export async function register(
  baseUrl: string,
  account: NewAccount,
  language: string,
  proven?: { session: string; proof: Proof },
): Promise<Step> {
  let auth: Record<string, unknown> | undefined = proven && { session: proven.session, ...proven.proof };
  for (let dummies = 0; dummies <= DUMMIES_MAX; dummies++) {
    const answer = await post(baseUrl, account, auth);
    if ("credentials" in answer) return { done: answer.credentials };
    const { session } = answer.wanted;
    const next = nextStage(answer.wanted);
    if (next !== DUMMY) {
      // The server takes one proof after the other; the same stage again means that this one was not good.
      const isAgain = auth !== undefined && auth.type === next;
      return { session, stage: stageOf(next, answer.wanted, { baseUrl, language, isAgain }) };
    }
    auth = { type: DUMMY, session };
  }
  throw new LoginError("M_UNKNOWN", "the server asks for the same again and again");
}

/** Has a letter sent, whose link proves the address. */
export async function sendLetter(baseUrl: string, email: string, attempt: number, clientSecret: string) {
  const answer = await ask(`${baseUrl}/_matrix/client/v3/register/email/requestToken`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email, client_secret: clientSecret, send_attempt: attempt }),
  });
  return { sid: v.parse(Letter, answer).sid, client_secret: clientSecret };
}

type Want = v.InferOutput<typeof Wanted>;

/** The first stage that is not done of the flow that asks least, if possible one that we can ask ourselves. */
export function nextStage({ flows, completed }: Pick<Want, "flows" | "completed">): string {
  const left = flows
    .filter(({ stages }) => completed.every((stage) => stages.includes(stage)))
    .map(({ stages }) => stages.filter((stage) => !completed.includes(stage)));
  const cost = (stages: readonly string[]) =>
    stages.filter((stage) => !KNOWN.has(stage)).length * 100 +
    stages.filter((stage) => stage !== DUMMY).length;
  const [best] = left.sort((a, b) => cost(a) - cost(b));
  return best?.[0] ?? DUMMY;
}

function stageOf(
  stage: string,
  { params, session }: Want,
  { baseUrl, language, isAgain }: { baseUrl: string; language: string; isAgain: boolean },
): Stage {
  switch (stage) {
    case TOKEN:
      return { kind: "token", isWrong: isAgain };
    case TERMS:
      return { kind: "terms", policies: policiesIn(params[TERMS], language) };
    case EMAIL:
      return { kind: "email", isUnconfirmed: isAgain };
    default: {
      const path = `/_matrix/client/v3/auth/${encodeURIComponent(stage)}/fallback/web`;
      return { kind: "page", url: `${baseUrl}${path}?session=${encodeURIComponent(session)}` };
    }
  }
}

/** The documents to agree to, in this language where there is one, else in any. Only what can be opened safely. */
export function policiesIn(params: unknown, language: string): readonly Policy[] {
  const parsed = v.safeParse(Policies, params);
  if (!parsed.success) return [];
  return Object.values(parsed.output.policies).flatMap((policy) => {
    const inWords =
      policy[language] ?? policy.en ?? Object.values(policy).find((value) => v.is(Translated, value));
    return v.is(Translated, inWords) && /^https?:\/\//.test(inWords.url) ? [inWords] : [];
  });
}

async function post(
  baseUrl: string,
  { username, password, deviceName }: NewAccount,
  auth: Record<string, unknown> | undefined,
): Promise<{ credentials: Credentials } | { wanted: Want }> {
  const body = { username, password, initial_device_display_name: deviceName, refresh_token: true };
  const response = await fetch(`${baseUrl}/_matrix/client/v3/register`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(auth ? { ...body, auth } : body),
  }).catch((cause: unknown) => {
    throw new LoginError("M_UNREACHABLE", String(cause));
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return { credentials: credentialsOf(v.parse(Registered, answer)) };
  const wanted = v.safeParse(Wanted, answer);
  if (response.status === 401 && wanted.success) return { wanted: wanted.output };
  const refusal = v.safeParse(v.object({ errcode: v.string(), error: v.optional(v.string(), "") }), answer);
  if (refusal.success) throw new LoginError(refusal.output.errcode, refusal.output.error, response.status);
  throw new LoginError("M_UNKNOWN", `the server answered ${response.status}`, response.status);
}

function credentialsOf(answer: v.InferOutput<typeof Registered>): Credentials {
  return {
    userId: answer.user_id,
    deviceId: answer.device_id,
    accessToken: answer.access_token,
    ...(answer.refresh_token ? { refreshToken: answer.refresh_token } : {}),
    ...(answer.expires_in_ms === undefined ? {} : { expiresTs: Date.now() + answer.expires_in_ms }),
  };
}

/** What to say about a refused registration: the name of a sentence. */
export type RegisterFailure =
  | "taken"
  | "invalidName"
  | "weak"
  | "closed"
  | "emailTaken"
  | "tooMany"
  | "unreachable"
  | "failed";

export function registerFailureOf(error: unknown): RegisterFailure {
  if (!(error instanceof LoginError)) return "failed";
  switch (error.errcode) {
    case "M_USER_IN_USE":
      return "taken";
    case "M_INVALID_USERNAME":
    case "M_EXCLUSIVE":
      return "invalidName";
    case "M_WEAK_PASSWORD":
      return "weak";
    case "M_THREEPID_IN_USE":
      return "emailTaken";
    case "M_FORBIDDEN":
      return "closed";
    case "M_LIMIT_EXCEEDED":
      return "tooMany";
    case "M_UNREACHABLE":
      return "unreachable";
    default:
      return "failed";
  }
}
