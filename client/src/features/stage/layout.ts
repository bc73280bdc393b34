import type { CallMember, MemberKey } from "~/calls/types";

export type Layout = "grid" | "speaker";

/** Who stands large beside the strip of the others: who is pinned, else who speaks, else who spoke before. */
export function focusOf(
  members: readonly CallMember[],
  pinned: MemberKey | undefined,
  before: MemberKey | undefined,
): MemberKey | undefined {
  const others = members.filter(({ isMe }) => !isMe);
  const candidates = others.length > 0 ? others : members;
  if (members.some(({ key }) => key === pinned)) return pinned;
  const isStillSpeaking = candidates.some(({ key, isSpeaking }) => key === before && isSpeaking);
  if (isStillSpeaking) return before;
  const speaker = candidates.find(({ isSpeaking }) => isSpeaking);
  if (speaker) return speaker.key;
  return candidates.some(({ key }) => key === before) ? before : candidates[0]?.key;
}

/** As many columns as let tiles of 16:9 fill a wide place best. */
export function columnsFor(count: number): number {
  return Math.max(1, Math.ceil(Math.sqrt(count)));
}
