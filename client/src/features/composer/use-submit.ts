import { useNavigate } from "@tanstack/react-router";
import { useCallback } from "react";
import { usePermissions } from "~/hooks/permissions";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { asEventId, type EventId, type RoomId, serverOf } from "~/matrix/ids";
import type { Answered, Said } from "~/matrix/message-content";
import { toast } from "~/ui/toast";
import { type Command, parseCommand } from "./commands";
import { renderMarkdown } from "./markdown";
import { currentOf, type useComposerStore } from "./store";
import type { Tray } from "./tray";

/** What became of a text that was sent. */
type Submitted = "sent" | "nothing" | "kept";

/** Sends what is written: a message, a change or a command. Gives a function for the send key. */
export function useSubmit(
  roomId: RoomId,
  threadId: EventId | undefined,
  store: ReturnType<typeof useComposerStore>,
  tray: Tray,
  /** What is said in a thread goes into its channel too. */
  isEchoed: boolean,
  onHelp: () => void,
): () => Submitted {
  const { t } = useTranslation("composer");
  const session = useSession();
  const navigate = useNavigate();
  const { mentionRoom } = usePermissions(roomId);

  return useCallback(() => {
    const state = store.getState();
    const { text, mentions } = currentOf(state);
    const trimmed = text.replace(/^\n+|\s+$/g, "");
    const attached = state.edit ? [] : tray.store.getState().files.filter(({ isSending }) => !isSending);
    if (trimmed.trim() === "" && attached.length === 0) return "nothing";
    const place = { roomId, threadId };

    const said = (command: Extract<Command, { kind: "say" }>): Said => {
      const options = { mentions, allowsRoom: mentionRoom, via: serverOf(session.userId) };
      const { html, mentions: meant } = renderMarkdown(command.text, options);
      return {
        msgtype: command.msgtype,
        body: command.text,
        html: command.isPlain ? undefined : html,
        mentions: meant,
      };
    };

    const command = parseCommand(trimmed);
    try {
      if (command.kind === "say") {
        if (state.edit) session.sender.edit(place, state.edit.before, said(command));
        else sayWithFiles(command, answeredBy(state.draft.replyTo));
      } else if (state.edit) {
        toast({ text: t("noCommandInEdit") });
        return "kept";
      } else if (command.kind === "unknown") {
        toast({ text: t("unknownCommand", { name: command.name }) });
        return "kept";
      } else if (command.kind === "incomplete") {
        toast({ text: t(`usage.${command.name}`) });
        return "kept";
      } else if (command.kind === "help") onHelp();
      else void run(command);
    } catch {
      // The one refusal that comes at once: too much waits already.
      toast({ text: t("outboxFull"), tone: "danger" });
      return "kept";
    }
    if (state.edit) store.setState({ edit: undefined, wish: {} });
    else store.setState({ draft: { text: "", mentions: [] } });
    return "sent";

    /** The text is the caption of a single file, and a message of its own behind several. */
    function sayWithFiles(asked: Extract<Command, { kind: "say" }>, answered: Answered | undefined) {
      const isEmpty = asked.text.trim() === "";
      const isCaption = attached.length === 1 && attached[0]?.caption === "" && !isEmpty;
      if (attached.length > 0) {
        const captionOf = (caption: string) =>
          said({ kind: "say", text: caption, msgtype: "m.text", isPlain: false });
        tray.send(isCaption ? said(asked) : undefined, answered, captionOf, isEchoed);
      }
      if (isEmpty || isCaption) return;
      session.sender.say(place, said(asked), attached.length > 0 ? undefined : answered);
      if (isEchoed && threadId) session.sender.echo(roomId, threadId, said(asked));
    }

    function answeredBy(replyTo: string | undefined): Answered | undefined {
      return replyTo === undefined ? undefined : session.sender.quoted(roomId, asEventId(replyTo));
    }

    async function run(asked: Exclude<Command, { kind: "say" | "unknown" | "incomplete" | "help" }>) {
      const { commands } = session;
      try {
        switch (asked.kind) {
          case "topic":
            return await commands.setTopic(roomId, asked.text);
          case "nick":
            return await commands.setOwnName(asked.text);
          case "invite":
          case "kick":
          case "ban":
            return await commands[asked.kind](roomId, asked.userId, asked.reason);
          case "unban":
            return await commands.unban(roomId, asked.userId);
          case "join": {
            const joined = await commands.join(asked.text);
            return await navigate({ to: "/room/$roomId", params: { roomId: joined } });
          }
          case "leave":
            await commands.leave(roomId);
            return await navigate({ to: "/" });
        }
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        toast({ text: t("commandFailed", { name: asked.kind, reason }), tone: "danger" });
      }
    }
  }, [roomId, threadId, store, session, navigate, mentionRoom, tray, isEchoed, onHelp, t]);
}
