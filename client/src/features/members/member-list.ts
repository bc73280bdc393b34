import type { Member } from "~/matrix/members";
import { type Role, roleFor } from "~/matrix/power-levels";
import type { PresenceState } from "~/matrix/presence-status";

export type MemberGroup =
  | { readonly kind: "role"; readonly role: Role }
  | { readonly kind: "partner"; readonly server: string }
  | { readonly kind: "offline" }
  | { readonly kind: "invited" };

/** One line of the list. */
export type MemberLine =
  | { readonly type: "heading"; readonly key: string; readonly group: MemberGroup; readonly count: number }
  | { readonly type: "member"; readonly key: string; readonly member: Member };

/**
 * Our own people by role if they are there, partners by their company, then who is offline, then who is invited; each by
 * name. `query` keeps those whose name or ID holds it.
 */
export function memberLines(
  members: readonly Member[],
  roles: readonly Role[],
  presenceOf: (member: Member) => PresenceState,
  query = "",
): readonly MemberLine[] {
  const wanted = query.trim().toLocaleLowerCase();
  const groups = new Map<string, { group: MemberGroup; rank: number; members: Member[] }>();
  for (const member of byName(members)) {
    if (wanted && !isFound(member, wanted)) continue;
    const { key, rank, group } = placeOf(member, roles, presenceOf(member));
    const known = groups.get(key) ?? { group, rank, members: [] };
    known.members.push(member);
    groups.set(key, known);
  }
  return [...groups]
    .sort(([a, { rank: rankA }], [b, { rank: rankB }]) => rankA - rankB || collator.compare(a, b))
    .flatMap(([key, { group, members: found }]): MemberLine[] => [
      { type: "heading", key, group, count: found.length },
      ...found.map((member): MemberLine => ({ type: "member", key: member.userId, member })),
    ]);
}

/** The line of the person that a key leads to, from the one with this key. */
export function memberBy(
  pressed: string,
  lines: readonly MemberLine[],
  current: string,
): MemberLine | undefined {
  const people = lines.filter(({ type }) => type === "member");
  const at = people.findIndex(({ key }) => key === current);
  switch (pressed) {
    case "ArrowDown":
      return people[at + 1];
    case "ArrowUp":
      return people[at - 1];
    case "Home":
      return people[0];
    case "End":
      return people.at(-1);
    default:
      return undefined;
  }
}

const collator = new Intl.Collator(undefined, { sensitivity: "base" });
/** Presences change many times a second where thousands are; names do not, and putting them in order is most of the work. */
const ordered = new WeakMap<readonly Member[], readonly Member[]>();

function byName(members: readonly Member[]): readonly Member[] {
  const known = ordered.get(members) ?? [...members].sort((a, b) => collator.compare(a.name, b.name));
  ordered.set(members, known);
  return known;
}

/** Roles stand by their place among the roles, the rest after them. */
const [PARTNERS, OFFLINE, INVITED] = [1_000, 1_001, 1_002];

function placeOf(
  member: Member,
  roles: readonly Role[],
  presence: PresenceState,
): { key: string; rank: number; group: MemberGroup } {
  if (member.membership === "invite") return { key: "invited", rank: INVITED, group: { kind: "invited" } };
  if (member.partnerServer !== undefined) {
    const { partnerServer: server } = member;
    return { key: `partner ${server}`, rank: PARTNERS, group: { kind: "partner", server } };
  }
  if (presence === "offline") return { key: "offline", rank: OFFLINE, group: { kind: "offline" } };
  const role = roleFor(roles, member.powerLevel);
  return { key: `role ${role.level}`, rank: roles.indexOf(role), group: { kind: "role", role } };
}

const isFound = ({ name, userId }: Member, wanted: string) =>
  name.toLocaleLowerCase().includes(wanted) || userId.toLowerCase().includes(wanted);
