type Content = Readonly<Record<string, unknown>>;

/** What of a message stays where it was said: whom it answered, its thread, whom it called, what it replaced. */
const LEFT_BEHIND: ReadonlySet<string> = new Set(["m.relates_to", "m.mentions", "m.new_content"]);

/**
 * A message's content as it is said again elsewhere. Files keep their address (and their key, if they are encrypted), so
 * that nothing is uploaded twice; nobody is called by it a second time (CS API § User and room mentions).
 */
export function forwardedContent(content: Content): Record<string, unknown> {
  const kept = Object.fromEntries(Object.entries(content).filter(([key]) => !LEFT_BEHIND.has(key)));
  const { body, formatted_body: html } = kept;
  const isReply = isRecord(content["m.relates_to"]) && "m.in_reply_to" in content["m.relates_to"];
  if (isReply && typeof body === "string") kept.body = withoutQuote(body);
  if (typeof html === "string") kept.formatted_body = html.replace(/^<mx-reply>[\s\S]*?<\/mx-reply>/, "");
  return { ...kept, "m.mentions": {} };
}

/** Replies of before v1.13 repeat what they answer, line by line behind `> `. */
function withoutQuote(body: string): string {
  if (!body.startsWith("> <")) return body;
  const lines = body.split("\n");
  const first = lines.findIndex((line) => !line.startsWith("> "));
  return first < 0 ? body : lines.slice(first).join("\n").replace(/^\n/, "");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
