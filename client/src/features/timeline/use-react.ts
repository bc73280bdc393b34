import { useCallback } from "react";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { Message } from "~/matrix/timeline";
import { toast } from "~/ui/toast";

/** Reacts to a message, or takes back the same reaction. */
export function useReact(roomId: RoomId, message: Message): (name: string) => void {
  const { t } = useTranslation("timeline");
  const { actions } = useSession();
  return useCallback(
    (name) => {
      const own = message.reactions.find((reaction) => reaction.name === name)?.ownEventId;
      if (own === undefined) actions.react(roomId, message.eventId, name);
      else actions.redact(roomId, own).catch(() => toast({ text: t("actionFailed"), tone: "danger" }));
    },
    [t, actions, roomId, message],
  );
}

/** Whether there is something to react to, and it is allowed. */
export function useMayReact(roomId: RoomId, message: Message): boolean {
  const may = useSlice(useSession().permissions.rooms, roomId);
  return isLive(message) && may.react;
}

/** At the server, and not deleted. */
export function isLive(message: Message): boolean {
  return message.sendState === "sent" && !message.eventId.startsWith("~") && message.body.kind !== "redacted";
}
