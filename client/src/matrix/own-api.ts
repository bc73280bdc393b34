import * as v from "valibot";
import type { Tokens } from "./tokens";

/** The server's refusal of one of EchoRift's own requests, by its errcode and its sentence. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly errcode: string,
    message: string,
  ) {
    super(message);
  }
}

const Refusal = v.object({ errcode: v.string(), error: v.optional(v.string(), "") });

export type Query = Readonly<Record<string, string | number | undefined>>;

/** EchoRift's own endpoints beside Matrix's, below `/_echorift/`; what they answer is parsed before anybody sees it. */
export class OwnApi {
  constructor(
    private readonly tokens: Tokens,
    private readonly baseUrl: string,
  ) {}

  async get<T extends v.GenericSchema>(
    schema: T,
    path: string,
    query: Query = {},
    signal?: AbortSignal,
  ): Promise<v.InferOutput<T>> {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== "") parameters.set(name, String(value));
    }
    const suffix = parameters.size > 0 ? `?${parameters}` : "";
    return v.parse(
      schema,
      await this.ask(`${path}${suffix}`, { method: "GET", ...(signal ? { signal } : {}) }),
    );
  }

  async send<T extends v.GenericSchema>(
    schema: T,
    method: "POST" | "PUT" | "DELETE",
    path: string,
    body: unknown = {},
  ): Promise<v.InferOutput<T>> {
    const headers = { "Content-Type": "application/json" };
    return v.parse(schema, await this.ask(path, { method, headers, body: JSON.stringify(body) }));
  }

  private async ask(path: string, init: RequestInit): Promise<unknown> {
    const headers = new Headers(init.headers);
    headers.set("Authorization", `Bearer ${await this.tokens.fresh()}`);
    const response = await this.tokens.fetch(`${this.baseUrl}/_echorift/${path}`, { ...init, headers });
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return answer;
    const refusal = v.safeParse(Refusal, answer);
    if (refusal.success) throw new ApiError(response.status, refusal.output.errcode, refusal.output.error);
    throw new ApiError(response.status, "M_UNKNOWN", `the server answered ${response.status}`);
  }
}

/** One part of a path, so that an ID's `/` or `?` stays inside it. */
export const part = encodeURIComponent;
