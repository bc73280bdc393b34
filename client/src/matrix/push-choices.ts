/** Push rules (CS API § Push rules) as the few choices that people think in. */

export type RoomLevel = "default" | "all" | "mentions" | "nothing";

/** A push rule, as far as it is read here. */
export interface Rule {
  readonly rule_id: string;
  readonly enabled: boolean;
  readonly default: boolean;
  readonly actions: readonly unknown[];
  readonly pattern?: string | undefined;
  readonly conditions?: readonly Record<string, unknown>[] | undefined;
}

export interface Rules {
  readonly override: readonly Rule[];
  readonly content: readonly Rule[];
  readonly room: readonly Rule[];
  readonly sender: readonly Rule[];
  readonly underride: readonly Rule[];
}
export type RuleKind = keyof Rules;

export interface AccountChoices {
  /** Nothing notifies at all. */
  readonly isSilent: boolean;
  /** Every message of channels, or only those that name me. */
  readonly channels: "all" | "mentions";
  readonly directs: boolean;
  readonly invites: boolean;
  /** `@room`. */
  readonly roomMentions: boolean;
  readonly keywords: readonly string[];
}
export type AccountSwitch = "isSilent" | "channels" | "directs" | "invites" | "roomMentions";

const NOTIFY_WITH_SOUND = ["notify", { set_tweak: "sound", value: "default" }] as const;
const NOTIFY_LOUDLY = [...NOTIFY_WITH_SOUND, { set_tweak: "highlight" }] as const;

/** The server's own rules behind each switch of the account. */
const BEHIND: Readonly<Record<AccountSwitch, readonly (readonly [RuleKind, string])[]>> = {
  isSilent: [["override", ".m.rule.master"]],
  channels: [
    ["underride", ".m.rule.message"],
    ["underride", ".m.rule.encrypted"],
  ],
  directs: [
    ["underride", ".m.rule.room_one_to_one"],
    ["underride", ".m.rule.encrypted_room_one_to_one"],
  ],
  invites: [["override", ".m.rule.invite_for_me"]],
  roomMentions: [
    ["override", ".m.rule.is_room_mention"],
    ["override", ".m.rule.roomnotif"],
  ],
};

export function accountChoices(rules: Rules): AccountChoices {
  const isOn = (what: AccountSwitch) =>
    BEHIND[what].some(([kind, id]) => {
      const rule = find(rules, kind, id);
      return rule?.enabled === true && (what === "isSilent" || notifies(rule));
    });
  return {
    isSilent: isOn("isSilent"),
    channels: isOn("channels") ? "all" : "mentions",
    directs: isOn("directs"),
    invites: isOn("invites"),
    roomMentions: isOn("roomMentions"),
    keywords: rules.content
      .filter((rule) => !rule.default && rule.enabled && rule.pattern !== undefined)
      .map((rule) => rule.pattern ?? ""),
  };
}

/** A change to make at the server, in this order. */
export type RuleChange =
  | { readonly do: "enable"; readonly kind: RuleKind; readonly id: string; readonly enabled: boolean }
  | { readonly do: "act"; readonly kind: RuleKind; readonly id: string; readonly actions: readonly unknown[] }
  | { readonly do: "delete"; readonly kind: RuleKind; readonly id: string }
  | {
      readonly do: "put";
      readonly kind: RuleKind;
      readonly id: string;
      readonly body: Record<string, unknown>;
    };

/** What to change so that a switch of the account stands as wished. Rules that the server does not have are passed over. */
export function changesForAccount(rules: Rules, what: AccountSwitch, isOn: boolean): readonly RuleChange[] {
  return BEHIND[what].flatMap(([kind, id]): RuleChange[] => {
    const rule = find(rules, kind, id);
    if (!rule) return [];
    const changes: RuleChange[] = [];
    // A rule that another client emptied of its actions says nothing, however enabled.
    if (isOn && what !== "isSilent" && !notifies(rule))
      changes.push({ do: "act", kind, id, actions: [...NOTIFY_WITH_SOUND] });
    if (rule.enabled !== isOn) changes.push({ do: "enable", kind, id, enabled: isOn });
    return changes;
  });
}

export function roomLevel(rules: Rules, roomId: string): RoomLevel {
  const silence = rules.override.find((rule) => isSilenceOf(rule, roomId));
  if (silence?.enabled && !notifies(silence)) return "nothing";
  const rule = find(rules, "room", roomId);
  if (!rule?.enabled) return "default";
  return notifies(rule) ? "all" : "mentions";
}

/** What to change so that a room notifies as wished: a rule of the room for "all" and "mentions", one above mentions for "nothing". */
export function changesForRoom(rules: Rules, roomId: string, level: RoomLevel): readonly RuleChange[] {
  if (roomLevel(rules, roomId) === level) return [];
  const changes: RuleChange[] = [];
  const put = (kind: RuleKind, body: Record<string, unknown>) => {
    changes.push({ do: "put", kind, id: roomId, body });
    const before =
      kind === "override"
        ? rules.override.find((rule) => isSilenceOf(rule, roomId))
        : find(rules, kind, roomId);
    if (before?.enabled === false) changes.push({ do: "enable", kind, id: roomId, enabled: true });
  };
  if (level === "nothing") {
    put("override", { actions: [], conditions: [{ kind: "event_match", key: "room_id", pattern: roomId }] });
  }
  if (level === "all") put("room", { actions: [...NOTIFY_WITH_SOUND] });
  if (level === "mentions") put("room", { actions: [] });
  const silence = rules.override.find((rule) => isSilenceOf(rule, roomId));
  if (silence && level !== "nothing") changes.push({ do: "delete", kind: "override", id: silence.rule_id });
  if (find(rules, "room", roomId) && (level === "default" || level === "nothing"))
    changes.push({ do: "delete", kind: "room", id: roomId });
  return changes;
}

/** A keyword as a rule: the word is its name and its pattern. Rule names may not hold slashes nor begin with a dot. */
export function changesForKeyword(rules: Rules, keyword: string, isWanted: boolean): readonly RuleChange[] {
  const word = keyword.trim();
  const existing = rules.content.filter((rule) => !rule.default && rule.pattern === word);
  if (!isWanted) return existing.map((rule) => ({ do: "delete", kind: "content", id: rule.rule_id }));
  if (word === "" || existing.some((rule) => rule.enabled && notifies(rule))) return [];
  const id = word.replace(/[/\\]/g, "_").replace(/^\.+/, "_");
  return [{ do: "put", kind: "content", id, body: { actions: [...NOTIFY_LOUDLY], pattern: word } }];
}

const find = (rules: Rules, kind: RuleKind, id: string) => rules[kind].find((rule) => rule.rule_id === id);
const notifies = (rule: Rule) => rule.actions.includes("notify");

function isSilenceOf(rule: Rule, roomId: string): boolean {
  const [condition, ...others] = rule.conditions ?? [];
  return (
    others.length === 0 &&
    condition?.kind === "event_match" &&
    condition.key === "room_id" &&
    condition.pattern === roomId
  );
}
