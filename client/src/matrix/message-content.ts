import type { EventId, RoomId, UserId } from "./ids";
import type { StoredFile } from "./uploads";

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

/** A file as `mediaContent` tells of it. */
export interface SentFile {
  readonly kind: "image" | "video" | "audio" | "file";
  readonly name: string;
  readonly stored: StoredFile;
  readonly info: Content;
  readonly isSpoiler: boolean;
  /** There if it was spoken into the composer: 0 to 1 for each stretch of it. */
  readonly voice?: { readonly durationMs: number; readonly waveform: readonly number[] } | undefined;
}

/** A message with a file (CS API § m.image and its kin; § Media captions; MSC3245 for what is spoken). */
export function mediaContent(
  file: SentFile,
  caption: Said | undefined,
  answered: Answered | undefined,
  ownId: UserId,
): Content {
  const said: Said = caption ?? { msgtype: "m.text", body: file.name, mentions: NOBODY };
  return {
    ...messageContent(said, answered, ownId),
    msgtype: `m.${file.kind}`,
    filename: file.name,
    ...file.stored,
    info: file.info,
    ...(file.isSpoiler ? { "page.codeberg.everypizza.msc4193.spoiler": true } : {}),
    ...(file.voice
      ? {
          "org.matrix.msc3245.voice": {},
          "org.matrix.msc1767.audio": {
            duration: file.voice.durationMs,
            waveform: file.voice.waveform.map((level) => Math.round(Math.min(1, Math.max(0, level)) * 1024)),
          },
        }
      : {}),
  };
}

const NOBODY: Mentions = { userIds: [], room: false };

/** A poll (MSC3381), with words for clients that know none. */
export function pollContent(question: string, answers: readonly string[], selectionsMax: number): Content {
  const words = [question, ...answers.map((answer, index) => `${index + 1}. ${answer}`)].join("\n");
  return {
    "org.matrix.msc3381.poll.start": {
      question: { "org.matrix.msc1767.text": question, body: question, msgtype: "m.text" },
      kind: "org.matrix.msc3381.poll.disclosed",
      max_selections: selectionsMax,
      answers: answers.map((answer, index) => ({
        id: String(index + 1),
        "org.matrix.msc1767.text": answer,
      })),
    },
    "org.matrix.msc1767.text": words,
    body: words,
    "m.mentions": {},
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
