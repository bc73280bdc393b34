/** Why a request failed: the server's errcode where there is one, `offline` if the server was not reached. */
interface Failure {
  readonly code: string;
  readonly message: string;
}

/** What went wrong, in the server's words where there are some. Knows the SDK's errors by their shape alone. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: "unknown", message: String(error) };
  if (error.name === "ConnectionError") return { code: "offline", message: error.message };
  const { errcode, data } = error as { errcode?: unknown; data?: { error?: unknown } };
  const message = typeof data?.error === "string" ? data.error : error.message;
  return { code: typeof errcode === "string" ? errcode : "unknown", message };
}
