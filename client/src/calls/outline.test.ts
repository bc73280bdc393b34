import { expect, test } from "vitest";
import { type Inside, keepSame, listMembers } from "./outline";
import { type MemberKey, memberKey } from "./types";

const membership = (name: string, ts: number) => ({
  userId: `@${name}:a`,
  deviceId: "D",
  createdTs: () => ts,
  eventId: `$${name}`,
});
const key = (name: string) => memberKey(`@${name}:a`, "D");
const inside: Inside = {
  isSpeaking: true,
  isMuted: false,
  isDeafened: false,
  hasCamera: false,
  isSharing: false,
  cameraTrack: undefined,
  screenTrack: undefined,
  quality: "good",
};
const seen = (more: Partial<Parameters<typeof listMembers>[0]> = {}) =>
  listMembers({
    memberships: [membership("ben", 20), membership("ann", 10)],
    inside: new Map(),
    me: key("ann"),
    reactions: new Map(),
    ...more,
  });

test("members stand in the order in which they came, and from outside nobody knows who is muted", () => {
  const members = seen();
  expect(members.map(({ userId, isMe }) => [userId, isMe])).toEqual([
    ["@ann:a", true],
    ["@ben:a", false],
  ]);
  expect(members[0]?.isMuted).toBeUndefined();
});

test("whom only the SFU knows is joining, and stands last", () => {
  const known = new Map<MemberKey, Inside>([
    [key("cleo"), inside],
    [key("ben"), inside],
  ]);
  const members = seen({ inside: known, reactions: new Map([[key("ben"), "👍"]]) });
  expect(members.map(({ key: member, isJoining }) => [member, isJoining])).toEqual([
    [key("ann"), false],
    [key("ben"), false],
    [key("cleo"), true],
  ]);
  expect(members[1]).toMatchObject({ isSpeaking: true, quality: "good", reaction: "👍" });
});

test("members that have not changed stay the same objects", () => {
  const before = seen();
  const after = keepSame(before, seen({ inside: new Map([[key("ben"), inside]]) }));
  expect(after[0]).toBe(before[0]);
  expect(after[1]).not.toBe(before[1]);
});
