import type { EventId, RoomId, UserId } from "./ids";

/** What somebody said, as the composer understood it. */
export interface Said {
  readonly msgtype: "m.text" | "m.emote" | "m.notice";
  readonly body: string;
  /** Only if it says more than the body does. */
  readonly html?: string | undefined;
  readonly mentions: Mentions;
}

export interface Mentions {
  readonly userIds: readonly UserId[];
  readonly room: boolean;
}

/** The message that is answered, and who is told of the answer. */
export interface Answered {
  readonly eventId: EventId;
  readonly sender: UserId;
}

/** Where a message goes. */
export interface Place {
  readonly roomId: RoomId;
  readonly threadId?: EventId | undefined;
}

type Content = Record<string, unknown>;

/** `m.room.message` (CS API § m.room.message; § User and room mentions). */
export function messageContent(said: Said, answered: Answered | undefined, ownId: UserId): Content {
  const userIds = new Set(said.mentions.userIds);
  // Who is answered is told of it.
  if (answered && answered.sender !== ownId) userIds.add(answered.sender);
  return {
    ...textContent(said),
    "m.mentions": mentionContent({ ...said.mentions, userIds: [...userIds] }),
    ...(answered ? { "m.relates_to": { "m.in_reply_to": { event_id: answered.eventId } } } : {}),
  };
}

/** A replacement (CS API § Event replacements): only people it newly names are told of it. */
export function editContent(said: Said, eventId: EventId, before: Mentions): Content {
  const added = said.mentions.userIds.filter((id) => !before.userIds.includes(id));
  return {
    ...textContent({
      ...said,
      body: `* ${said.body}`,
      html: said.html === undefined ? undefined : `* ${said.html}`,
    }),
    "m.mentions": mentionContent({ userIds: added, room: said.mentions.room && !before.room }),
    "m.new_content": { ...textContent(said), "m.mentions": mentionContent(said.mentions) },
    "m.relates_to": { rel_type: "m.replace", event_id: eventId },
  };
}

function textContent({ msgtype, body, html }: Said): Content {
  return {
    msgtype,
    body,
    ...(html === undefined ? {} : { format: "org.matrix.custom.html", formatted_body: html }),
  };
}

function mentionContent({ userIds, room }: Mentions): Content {
  return { ...(userIds.length > 0 ? { user_ids: userIds } : {}), ...(room ? { room: true } : {}) };
}
