import { expect, test } from "vitest";
import {
  accountChoices,
  changesForAccount,
  changesForKeyword,
  changesForRoom,
  type Rule,
  type RuleChange,
  type RuleKind,
  type Rules,
  roomLevel,
} from "./push-choices";

const rule = (id: string, change: Partial<Rule> = {}): Rule => ({
  rule_id: id,
  enabled: true,
  default: true,
  actions: ["notify"],
  ...change,
});

const SERVER: Rules = {
  override: [
    rule(".m.rule.master", { enabled: false, actions: [] }),
    rule(".m.rule.invite_for_me"),
    rule(".m.rule.is_room_mention"),
  ],
  content: [],
  room: [],
  sender: [],
  underride: [rule(".m.rule.room_one_to_one"), rule(".m.rule.message"), rule(".m.rule.encrypted")],
};

/** What a server would make of the changes. */
function change(rules: Rules, changes: readonly RuleChange[]): Rules {
  const after: Record<RuleKind, Rule[]> = {
    override: [...rules.override],
    content: [...rules.content],
    room: [...rules.room],
    sender: [...rules.sender],
    underride: [...rules.underride],
  };
  for (const step of changes) {
    const { kind, id } = step;
    const before = after[kind].find((one) => one.rule_id === id);
    const others = after[kind].filter((one) => one.rule_id !== id);
    if (step.do === "delete") after[kind] = others;
    else if (step.do === "put")
      after[kind] = [rule(id, { default: false, enabled: before?.enabled ?? true, ...step.body }), ...others];
    else if (before && step.do === "enable") after[kind] = [{ ...before, enabled: step.enabled }, ...others];
    else if (before && step.do === "act") after[kind] = [{ ...before, actions: step.actions }, ...others];
  }
  return after;
}

test("a new account hears of everything", () =>
  expect(accountChoices(SERVER)).toEqual({
    isSilent: false,
    channels: "all",
    directs: true,
    invites: true,
    roomMentions: true,
    keywords: [],
  }));

test.each([
  ["channels", (rules: Rules) => accountChoices(rules).channels === "all"],
  ["directs", (rules: Rules) => accountChoices(rules).directs],
  ["invites", (rules: Rules) => accountChoices(rules).invites],
  ["isSilent", (rules: Rules) => accountChoices(rules).isSilent],
] as const)("the switch %s goes off and on", (what, read) => {
  for (const isOn of [true, false, true]) {
    const rules = change(SERVER, changesForAccount(SERVER, what, isOn));
    expect(read(rules)).toBe(isOn);
    expect(changesForAccount(rules, what, isOn)).toEqual([]);
  }
});

test("a rule that was emptied of its actions is filled again", () => {
  const emptied = { ...SERVER, underride: [rule(".m.rule.message", { actions: [] })] };
  expect(accountChoices(emptied).channels).toBe("mentions");
  expect(accountChoices(change(emptied, changesForAccount(emptied, "channels", true))).channels).toBe("all");
});

test("a room goes from each level to each other, and back to the account's", () => {
  const levels = ["default", "all", "mentions", "nothing"] as const;
  for (const from of levels)
    for (const to of levels) {
      const before = change(SERVER, changesForRoom(SERVER, "!r", from));
      expect(roomLevel(before, "!r")).toBe(from);
      const after = change(before, changesForRoom(before, "!r", to));
      expect(roomLevel(after, "!r")).toBe(to);
      if (to === "default") expect(after).toEqual(SERVER);
    }
});

test("a room's rule that was switched off is the account's level, and is switched on when chosen", () => {
  const off = { ...SERVER, room: [rule("!r", { enabled: false, actions: [] })] };
  expect(roomLevel(off, "!r")).toBe("default");
  expect(roomLevel(change(off, changesForRoom(off, "!r", "mentions")), "!r")).toBe("mentions");
});

test("keywords are added once, cleaned, and removed", () => {
  const added = change(SERVER, changesForKeyword(SERVER, "  ../incident ", true));
  expect(accountChoices(added).keywords).toEqual(["../incident"]);
  expect(changesForKeyword(added, "../incident", true)).toEqual([]);
  expect(changesForKeyword(SERVER, "  ", true)).toEqual([]);
  expect(accountChoices(change(added, changesForKeyword(added, "../incident", false))).keywords).toEqual([]);
});
