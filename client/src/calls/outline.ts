// Who is in a call, as a list: by the memberships of the room, and, from inside, by what the SFUs know of them.

import type { CallMembership } from "matrix-js-sdk/lib/matrixrtc";
import { asDeviceId, asUserId } from "~/matrix/ids";
import { type CallMember, type MemberKey, memberKey } from "./types";

/** What only the media connection knows of a member. */
export type Inside = Pick<
  CallMember,
  | "isSpeaking"
  | "isMuted"
  | "isDeafened"
  | "hasCamera"
  | "isSharing"
  | "cameraTrack"
  | "screenTrack"
  | "quality"
>;

interface Seen {
  memberships: readonly Pick<CallMembership, "userId" | "deviceId" | "createdTs" | "eventId">[];
  inside: ReadonlyMap<MemberKey, Inside>;
  me: MemberKey;
  reactions: ReadonlyMap<MemberKey, string>;
}

const OUTSIDE: Inside = {
  isSpeaking: false,
  isMuted: undefined,
  isDeafened: false,
  hasCamera: false,
  isSharing: false,
  cameraTrack: undefined,
  screenTrack: undefined,
  quality: "unknown",
};

/** Members in the order in which they came; then those whom only the SFU knows yet. */
export function listMembers({ memberships, inside, me, reactions }: Seen): CallMember[] {
  const describe = (key: MemberKey, joinedTs: number, isJoining: boolean): CallMember => {
    const bar = key.lastIndexOf("|");
    return {
      key,
      userId: asUserId(key.slice(0, bar)),
      deviceId: asDeviceId(key.slice(bar + 1)),
      joinedTs,
      isMe: key === me,
      isJoining,
      reaction: reactions.get(key),
      ...(inside.get(key) ?? OUTSIDE),
    };
  };
  const known = new Map(
    memberships.map((member) => [memberKey(member.userId, member.deviceId), member.createdTs()] as const),
  );
  const members = [...known]
    .sort(([, a], [, b]) => a - b)
    .map(([key, joinedTs]) => describe(key, joinedTs, false));
  const joining = [...inside.keys()].filter((key) => !known.has(key)).map((key) => describe(key, 0, true));
  return [...members, ...joining];
}

/** The list with as many of the old objects in it as have not changed, so that only rows that differ render. */
export function keepSame(
  before: readonly CallMember[] | undefined,
  after: readonly CallMember[],
): readonly CallMember[] {
  if (!before) return after;
  const old = new Map(before.map((member) => [member.key, member]));
  return after.map((member) => {
    const known = old.get(member.key);
    const isSame =
      known && (Object.keys(member) as (keyof CallMember)[]).every((name) => member[name] === known[name]);
    return isSame ? known : member;
  });
}
