import {
  Code2,
  Copy,
  Flag,
  Forward,
  Link2,
  MessageSquareText,
  Pencil,
  Pin,
  PinOff,
  Reply,
  Trash2,
} from "lucide-react";
import { useMemo } from "react";
import { useComposer } from "~/features/composer";
import { openDialog } from "~/hooks/dialogs";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { EventId, RoomId, UserId } from "~/matrix/ids";
import type { Message, MessageBody } from "~/matrix/timeline";
import type { MenuEntry } from "~/ui/menu";
import { toast } from "~/ui/toast";
import { ask } from "./store";
import { isLive } from "./use-react";

/** Polls are about those who were asked, and what cannot be read cannot be said again. */
const FORWARDED: ReadonlySet<MessageBody["kind"]> = new Set([
  "text",
  "image",
  "sticker",
  "video",
  "audio",
  "file",
  "location",
]);

/** What may be done with a message; what is not allowed is `undefined`. */
export interface MessageActs {
  readonly reply: (() => void) | undefined;
  readonly thread: (() => void) | undefined;
  readonly edit: (() => void) | undefined;
  readonly pin: (() => void) | undefined;
  readonly remove: (() => void) | undefined;
  readonly forward: (() => void) | undefined;
  readonly mayReact: boolean;
  readonly isPinned: boolean;
}

export interface Surroundings {
  readonly roomId: RoomId;
  /** The thread that is shown; `undefined` in the main timeline. */
  readonly threadId: EventId | undefined;
  readonly openThread: (threadId: EventId) => void;
  readonly openProfile: (userId: UserId) => void;
}

export function useMessageActs(
  message: Message,
  { roomId, threadId, openThread }: Surroundings,
): MessageActs {
  const { t } = useTranslation("timeline");
  const { permissions, pins } = useSession();
  const may = useSlice(permissions.rooms, roomId);
  const pinned = useSlice(pins.rooms, roomId);
  const composer = useComposer(roomId, threadId);
  return useMemo(() => {
    const isActedUpon = isLive(message);
    const isPinned = pinned.includes(message.eventId);
    const mayDelete = message.isOwn ? may.redactOwn || may.redactOthers : may.redactOthers;
    const { eventId } = message;
    const pin = () => {
      const act = isPinned ? pins.unpin(roomId, eventId) : pins.pin(roomId, eventId);
      act.catch(() => toast({ text: t("actionFailed"), tone: "danger" }));
    };
    return {
      reply: isActedUpon && may.send ? () => composer.replyTo(eventId) : undefined,
      thread: isActedUpon && threadId === undefined ? () => openThread(eventId) : undefined,
      edit:
        isActedUpon && message.isOwn && may.send && message.body.kind === "text"
          ? () => void composer.edit(eventId)
          : undefined,
      pin: isActedUpon && may.pin ? pin : undefined,
      remove: isActedUpon && mayDelete ? () => ask("delete", roomId, message) : undefined,
      forward:
        isActedUpon && FORWARDED.has(message.body.kind)
          ? () => openDialog({ kind: "forward", roomId, message })
          : undefined,
      mayReact: isActedUpon && may.react,
      isPinned,
    };
  }, [t, message, may, pinned, pins, composer, roomId, threadId, openThread]);
}

/** The same as entries of a menu, with those that have no button. */
export function useMessageMenu(message: Message, acts: MessageActs, roomId: RoomId): readonly MenuEntry[] {
  const { t } = useTranslation("timeline");
  const { actions } = useSession();
  const copy = (text: string) =>
    void navigator.clipboard.writeText(text).then(() => toast({ text: t("copied") }));
  const entries: MenuEntry[] = [];
  const add = (
    id: string,
    icon: NonNullable<Exclude<MenuEntry, "separator">["icon"]>,
    onAction: (() => void) | undefined,
    more: { hint?: string; isDangerous?: boolean; label?: string } = {},
  ) => {
    const { label = t(`act.${id}`), ...rest } = more;
    if (onAction) entries.push({ id, icon, label, onAction, ...rest });
  };
  add("reply", Reply, acts.reply, { hint: "R" });
  add("thread", MessageSquareText, acts.thread, { hint: "T" });
  add("edit", Pencil, acts.edit, { hint: "E" });
  add("pin", acts.isPinned ? PinOff : Pin, acts.pin, {
    hint: "P",
    label: t(acts.isPinned ? "act.unpin" : "act.pin"),
  });
  if (entries.length > 0) entries.push("separator");
  add("forward", Forward, acts.forward);
  add("copyText", Copy, message.text ? () => copy(message.text) : undefined);
  add("copyLink", Link2, () => copy(actions.link(roomId, message.eventId)));
  add("source", Code2, () => ask("source", roomId, message));
  entries.push("separator");
  add("report", Flag, message.isOwn ? undefined : () => ask("report", roomId, message), {
    isDangerous: true,
  });
  add("remove", Trash2, acts.remove, { hint: "Del", isDangerous: true });
  return entries.at(-1) === "separator" ? entries.slice(0, -1) : entries;
}
