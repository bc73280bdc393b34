import { useEffect, useMemo, useState } from "react";
import { type EmojiName, emojiNames, noteEmoji } from "~/features/emoji";
import { usePermissions } from "~/hooks/permissions";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { Mention } from "~/matrix/drafts";
import { localpartOf, type RoomId } from "~/matrix/ids";
import type { Member } from "~/matrix/members";
import { COMMANDS } from "./commands";
import { ranked, type Trigger, triggerAt } from "./trigger";

/** One line of the list of suggestions. */
export interface Suggestion {
  readonly id: string;
  readonly label: string;
  readonly hint: string;
  /** What takes the place of what was typed. */
  readonly inserted: string;
  readonly mention?: Mention;
  readonly picture:
    | { readonly kind: "person"; readonly avatarMxc: string | undefined; readonly isPartner: boolean }
    | { readonly kind: "room" | "channel" | "command" }
    | { readonly kind: "emoji"; readonly emoji: string };
  readonly onChosen?: () => void;
}

const NO_MEMBERS: readonly Member[] = [];
const NO_NAMES: readonly EmojiName[] = [];

/** What could be meant at the caret. */
export function useSuggestions(
  roomId: RoomId,
  text: string,
  caret: number,
  mentions: readonly Mention[],
): { trigger: Trigger | undefined; suggestions: readonly Suggestion[] } {
  const { t, i18n } = useTranslation("composer");
  const session = useSession();
  const trigger = triggerAt(text, caret);
  const kind = trigger?.kind;
  const query = trigger?.query ?? "";
  const everybody = useSlice(session.members.all, roomId);
  const rooms = useSlice(session.rooms.lists, "joined");
  const { mentionRoom } = usePermissions(roomId);
  const [names, setNames] = useState(NO_NAMES);
  const members = kind === "user" ? everybody : NO_MEMBERS;

  useEffect(() => {
    if (kind === "user") void session.members.load(roomId).catch(() => {});
  }, [session, roomId, kind]);
  useEffect(() => {
    if (kind !== "emoji") return;
    let isCurrent = true;
    void emojiNames(i18n.language === "de" ? "de" : "en").then((loaded) => {
      if (isCurrent) setNames(loaded);
    });
    return () => {
      isCurrent = false;
    };
  }, [kind, i18n.language]);

  const suggestions = useMemo((): readonly Suggestion[] => {
    switch (kind) {
      case "user":
        return [
          ...ranked(
            members.filter(({ userId }) => userId !== session.userId),
            query,
            ({ name, userId }) => [name, localpartOf(userId)],
          ).map((member) => person(member, mentions)),
          ...(mentionRoom && "room".startsWith(query.toLowerCase())
            ? [everyone(t("everyone", { count: members.length }))]
            : []),
        ];
      case "channel":
        return ranked(
          rooms.flatMap((id) => session.rooms.summaries.peek(id).room ?? []),
          query,
          ({ name, kind: roomKind }) => (roomKind === "space" || roomKind === "direct" ? [] : [name]),
        ).map(({ id, name, topic }) => {
          const label = `#${name}`;
          const mention = { label, kind: "channel", id } as const;
          return { id, label, hint: topic, inserted: label, mention, picture: { kind: "channel" } };
        });
      case "emoji":
        return ranked(names, query, ({ code, tags }) => [code, ...tags]).map(({ emoji, code, label }) => ({
          id: emoji,
          label: `:${code}:`,
          hint: label,
          inserted: emoji,
          picture: { kind: "emoji", emoji },
          onChosen: () => noteEmoji(emoji),
        }));
      case "command":
        return ranked(COMMANDS, query, (name) => [name], COMMANDS.length).map((name) => ({
          id: name,
          label: `/${name}`,
          hint: t(`command.${name}`),
          inserted: `/${name}`,
          picture: { kind: "command" },
        }));
      default:
        return [];
    }
  }, [kind, query, members, rooms, names, mentions, mentionRoom, session, t]);

  return { trigger, suggestions };
}

function person(
  { userId, name, avatarMxc, partnerServer }: Member,
  mentions: readonly Mention[],
): Suggestion {
  // Two people of one name in one text: the second is written by the whole ID.
  const isTaken = mentions.some(({ label, id }) => label === `@${name}` && id !== userId);
  const label = isTaken || name === userId ? userId : `@${name}`;
  return {
    id: userId,
    label: name,
    hint: userId,
    inserted: label,
    mention: { label, kind: "user", id: userId },
    picture: { kind: "person", avatarMxc, isPartner: partnerServer !== undefined },
  };
}

const everyone = (hint: string): Suggestion => ({
  id: "@room",
  label: "@room",
  hint,
  inserted: "@room",
  picture: { kind: "room" },
});
