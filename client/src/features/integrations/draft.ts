import type { Direction, Webhook, WebhookSettings } from "~/matrix/webhooks";

/** Which events go out: messages, everything, or types that somebody names. */
export const EVENTS = ["messages", "all", "some"] as const;
type Events = (typeof EVENTS)[number];

/** What stands in the form of a webhook. */
export interface Draft {
  readonly direction: Direction;
  readonly name: string;
  readonly avatarMxc: string | undefined;
  readonly allowsNames: boolean;
  readonly isSigned: boolean;
  readonly url: string;
  readonly events: Events;
  /** Types of events, and words, between commas. */
  readonly types: string;
  readonly words: string;
  readonly allowsReplies: boolean;
}

/** The form for a webhook as it is, or for a new one. */
export function draftOf(direction: Direction, webhook?: Webhook): Draft {
  const types = webhook?.direction === "outgoing" ? webhook.event_types : [MESSAGE];
  const events = types.includes("*") ? "all" : types.join() === MESSAGE ? "messages" : "some";
  return {
    direction,
    name: webhook?.name ?? "",
    avatarMxc: webhook?.avatar_url ?? undefined,
    allowsNames: webhook?.direction === "incoming" && webhook.allow_name_override,
    isSigned: webhook?.direction === "incoming" && webhook.signed,
    url: webhook?.direction === "outgoing" ? webhook.url : "",
    events,
    types: events === "some" ? types.join(", ") : "",
    words: webhook?.direction === "outgoing" ? webhook.keywords.join(", ") : "",
    allowsReplies: webhook?.direction === "outgoing" && webhook.allow_replies,
  };
}

const MESSAGE = "m.room.message";

/** What the form asks of the server. */
export function settingsOf(draft: Draft): WebhookSettings {
  const shared = { name: draft.name.trim(), avatar_url: draft.avatarMxc ?? "" };
  if (draft.direction === "incoming") return { ...shared, allow_name_override: draft.allowsNames };
  const types = { messages: [MESSAGE], all: ["*"], some: listIn(draft.types) };
  return {
    ...shared,
    url: draft.url.trim(),
    event_types: types[draft.events],
    keywords: listIn(draft.words),
    allow_replies: draft.allowsReplies,
  };
}

const listIn = (text: string): readonly string[] => [
  ...new Set(
    text
      .split(",")
      .map((one) => one.trim())
      .filter(Boolean),
  ),
];
