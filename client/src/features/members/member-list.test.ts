import { expect, test } from "vitest";
import { asUserId } from "~/matrix/ids";
import type { Member } from "~/matrix/members";
import type { Role } from "~/matrix/power-levels";
import type { PresenceState } from "~/matrix/presence-status";
import { memberBy, memberLines } from "./member-list";

const ROLES: readonly Role[] = [
  { kind: "admin", level: 100, name: undefined },
  { kind: "custom", level: 75, name: "Release lead" },
  { kind: "member", level: 0, name: undefined },
];

const person = (name: string, change: Partial<Member> = {}): Member => ({
  userId: asUserId(`@${name.toLowerCase()}:north.example`),
  name,
  avatarMxc: undefined,
  membership: "join",
  powerLevel: 0,
  partnerServer: undefined,
  ...change,
});

function shown(members: readonly Member[], offline: readonly string[] = [], query = "") {
  const presence = ({ name }: Member): PresenceState => (offline.includes(name) ? "offline" : "online");
  return memberLines(members, ROLES, presence, query).map((line) =>
    line.type === "member"
      ? line.member.name
      : `${line.group.kind === "role" ? line.group.role.level : line.group.kind} ${line.count}`,
  );
}

test("who is there stands by role and name, the others below", () => {
  const members = [
    person("Sofia"),
    person("Emil"),
    person("Aiko"),
    person("Mira", { powerLevel: 100 }),
    person("Jonas", { powerLevel: 80 }),
    person("Nils", { membership: "invite" }),
    person("Tomás", { partnerServer: "helios.example" }),
  ];
  expect(shown(members, ["Emil", "Tomás"])).toEqual([
    ...["100 1", "Mira", "75 1", "Jonas", "0 2", "Aiko", "Sofia"],
    ...["partner 1", "Tomás", "offline 1", "Emil", "invited 1", "Nils"],
  ]);
});

test("partners stand by company", () =>
  expect(
    shown([
      person("Zoe", { partnerServer: "alpha.example" }),
      person("Ann", { partnerServer: "beta.example" }),
    ]),
  ).toEqual(["partner 1", "Zoe", "partner 1", "Ann"]));

test("a search finds by name and ID, and leaves out empty groups", () => {
  const members = [person("Sofia"), person("Mira", { powerLevel: 100 })];
  expect(shown(members, [], "SOF")).toEqual(["0 1", "Sofia"]);
  expect(shown(members, [], "@mira:")).toEqual(["100 1", "Mira"]);
  expect(shown(members, [], "nobody")).toEqual([]);
});

test("keys go from person to person, past the headings, and to both ends", () => {
  const lines = memberLines(
    [person("Sofia"), person("Mira", { powerLevel: 100 }), person("Aiko")],
    ROLES,
    () => "online",
  );
  const [mira, aiko, sofia] = ["mira", "aiko", "sofia"].map((name) => `@${name}:north.example`) as [
    string,
    string,
    string,
  ];
  const from = (key: string, pressed: string) => memberBy(pressed, lines, key)?.key;
  expect([from(mira, "ArrowDown"), from(aiko, "ArrowUp"), from(aiko, "End"), from(sofia, "Home")]).toEqual([
    aiko,
    mira,
    sofia,
    mira,
  ]);
  expect([from(sofia, "ArrowDown"), from(mira, "ArrowUp"), from(mira, "x")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});
