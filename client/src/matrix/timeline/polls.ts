import { asUserId, type UserId } from "../ids";
import { record } from "./content";
import type { Poll } from "./types";

export const POLL_STARTS = ["m.poll.start", "org.matrix.msc3381.poll.start"];
export const POLL_RESPONSES = ["m.poll.response", "org.matrix.msc3381.poll.response"];
export const POLL_ENDS = ["m.poll.end", "org.matrix.msc3381.poll.end"];

/** MSC3381 allows no more. */
const ANSWERS_MAX = 20;

interface Vote {
  readonly sender: UserId;
  readonly ts: number;
  readonly content: Record<string, unknown>;
}

/**
 * Counts a poll (MSC3381): the last vote of each person before its end, cut to the number of selections; unknown answers do
 * not count, and a vote with none of the answers is none.
 */
export function countPoll(
  content: Record<string, unknown>,
  votes: readonly Vote[],
  { endTs, own }: { endTs: number | undefined; own: UserId },
): Poll | undefined {
  const start = record(
    content["m.poll.start"] ?? content["m.poll"] ?? content["org.matrix.msc3381.poll.start"],
  );
  const listed = Array.isArray(start.answers) ? start.answers.slice(0, ANSWERS_MAX).map(record) : [];
  const answers = listed.flatMap((answer) => {
    const id = answer["m.id"] ?? answer.id;
    return typeof id === "string" ? [{ id, text: plainText(answer) }] : [];
  });
  if (answers.length === 0) return undefined;
  const selectionsMax = typeof start.max_selections === "number" ? Math.max(1, start.max_selections) : 1;
  const chosen = new Map<UserId, readonly string[]>();
  for (const vote of [...votes].sort((a, b) => a.ts - b.ts)) {
    if (endTs !== undefined && vote.ts > endTs) continue;
    const known = selections(vote.content).filter((id) => answers.some((answer) => answer.id === id));
    chosen.set(vote.sender, [...new Set(known)].slice(0, selectionsMax));
  }
  const voters = [...chosen].filter(([, ids]) => ids.length > 0);
  return {
    question: plainText(record(start.question)),
    answers: answers.map((answer) => ({
      ...answer,
      voters: voters.filter(([, ids]) => ids.includes(answer.id)).map(([voter]) => voter),
    })),
    isSecret: !String(start.kind ?? "").endsWith("disclosed") || String(start.kind).endsWith("undisclosed"),
    selectionsMax,
    ownAnswers: chosen.get(own) ?? [],
    voterCount: voters.length,
    isEnded: endTs !== undefined,
  };
}

function selections(content: Record<string, unknown>): readonly string[] {
  const response = record(content["m.poll.response"] ?? content["org.matrix.msc3381.poll.response"]);
  const listed = content["m.selections"] ?? response.answers;
  return Array.isArray(listed) ? listed.filter((id): id is string => typeof id === "string") : [];
}

function plainText(block: Record<string, unknown>): string {
  const stable = block["m.text"];
  if (Array.isArray(stable)) return String(record(stable[0]).body ?? "").slice(0, 500);
  const text = stable ?? block["org.matrix.msc1767.text"] ?? block.body;
  return typeof text === "string" ? text.slice(0, 500) : "";
}

export const asVoter = (sender: string | undefined): UserId => asUserId(sender ?? "");
