import { type AuthDict, MatrixError } from "matrix-js-sdk/lib/matrix";
import * as v from "valibot";
import type { SessionContext } from "./context";
import { NotConfirmed } from "./not-confirmed";
import { DerivedSlice } from "./slice";

/** How the server wants a person to confirm that it is really them. */
export type Confirmation =
  | { readonly kind: "password"; readonly isWrong: boolean; readonly attempt: number }
  /** On a page of the server, which sessions begun by OAuth have to use. */
  | { readonly kind: "page"; readonly url: string };

const PAGE_STAGES = ["m.oauth", "org.matrix.cross_signing_reset"] as const;

const Challenge = v.object({
  session: v.optional(v.string()),
  flows: v.array(v.object({ stages: v.array(v.string()) })),
  params: v.optional(v.record(v.string(), v.unknown()), {}),
  errcode: v.optional(v.string()),
});
type Challenge = v.InferOutput<typeof Challenge>;
const Page = v.object({ url: v.pipe(v.string(), v.url()) });

/** Requests that the server answers only to somebody who confirms them (CS API § User-Interactive Authentication API). */
export class Confirmations {
  /** One key, `"asked"`: the question that stands open. */
  readonly asked: DerivedSlice<{ question: Confirmation | undefined }>;
  private question: Confirmation | undefined;
  private settle: ((answer: string | undefined) => void) | undefined;

  constructor(private readonly context: SessionContext) {
    this.asked = new DerivedSlice(context.changes, () => ({ question: this.question }));
    context.onClose(() => this.cancel());
  }

  /** Does a request, asking the person as often as the server asks. Fails with `NotConfirmed` if they do not want to. */
  readonly run = async <T>(request: (auth: AuthDict | null) => Promise<T>): Promise<T> => {
    let auth: AuthDict | null = null;
    for (let attempt = 1; ; attempt++) {
      try {
        return await request(auth);
      } catch (error) {
        const challenge = challengeOf(error);
        if (!challenge) throw error;
        const question = questionOf(challenge, attempt);
        if (!question) throw error;
        const answer = await this.ask(question);
        if (answer === undefined) throw new NotConfirmed();
        auth = this.authFor(question, answer, challenge);
      }
    }
  };

  /** The password, or anything once the page was visited. */
  answer(text: string): void {
    this.settle?.(text);
  }

  cancel(): void {
    this.settle?.(undefined);
  }

  private ask(question: Confirmation): Promise<string | undefined> {
    this.settle?.(undefined);
    return new Promise((resolve) => {
      this.settle = (answer) => {
        this.settle = undefined;
        this.show(undefined);
        resolve(answer);
      };
      this.show(question);
    });
  }

  private show(question: Confirmation | undefined): void {
    this.question = question;
    this.asked.invalidate("asked");
  }

  private authFor(question: Confirmation, answer: string, { session }: Challenge): AuthDict {
    if (question.kind === "page") return { session } as AuthDict;
    return {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: this.context.client.getSafeUserId() },
      password: answer,
      session,
    } as AuthDict;
  }
}

function challengeOf(error: unknown): Challenge | undefined {
  if (!(error instanceof MatrixError) || error.httpStatus !== 401) return undefined;
  const parsed = v.safeParse(Challenge, error.data);
  return parsed.success ? parsed.output : undefined;
}

function questionOf({ flows, params, errcode }: Challenge, attempt: number): Confirmation | undefined {
  const isOffered = (stage: string) => flows.some(({ stages }) => stages.length === 1 && stages[0] === stage);
  for (const stage of PAGE_STAGES) {
    const page = v.safeParse(Page, params[stage]);
    if (isOffered(stage) && page.success) return { kind: "page", url: page.output.url };
  }
  const isWrong = attempt > 1 && errcode === "M_FORBIDDEN";
  return isOffered("m.login.password") ? { kind: "password", isWrong, attempt } : undefined;
}
