import { useNavigate } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import { useEffect, useRef } from "react";
import { usePreferences } from "~/hooks/preferences";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { Notice } from "~/matrix/notices";
import { isQuiet } from "./quiet-hours";
import { playMessageSound } from "./sound";

/** Shows desktop notifications and sounds for what is not being looked at; once, in the shell. Renders nothing. */
export function Notifier() {
  const { t } = useTranslation("notifications");
  const { notices, ignored } = useSession();
  const navigate = useNavigate();
  const shown = useRef(new Map<string, Notification>());

  useEffect(() => {
    const open = shown.current;
    const show = (notice: Notice) => {
      const { notifies } = usePreferences.getState();
      if (isSeen(notice.roomId) || ignored.one.peek(notice.sender).isIgnored) return;
      if (isQuiet(notifies.quiet, new Date())) return;
      if (notifies.messageSound && notice.hasSound) void playMessageSound().catch(() => {});
      if (!notifies.onDesktop || !mayNotify()) return;
      const { title, body } = wordsFor(notice, notifies.showsText, t);
      // One for each room: the newest takes the place of the one before.
      const notification = new Notification(title, { body, tag: notice.roomId, icon: "/icon.svg" });
      notification.onclick = () => {
        window.focus();
        notification.close();
        void navigate({
          to: "/room/$roomId",
          params: { roomId: notice.roomId },
          search: { event: notice.eventId },
        });
      };
      notification.onclose = () => {
        if (open.get(notice.roomId) === notification) open.delete(notice.roomId);
      };
      open.set(notice.roomId, notification);
    };
    const close = (roomId: RoomId) => {
      open.get(roomId)?.close();
      open.delete(roomId);
    };
    const stop = notices.listen({ onNotice: show, onRead: close });
    return () => {
      stop();
      for (const notification of open.values()) notification.close();
      open.clear();
    };
  }, [notices, ignored, navigate, t]);
  return null;
}

/** The room is on screen, and somebody looks at it. */
function isSeen(roomId: RoomId): boolean {
  const isOpen = decodeURIComponent(window.location.pathname) === `/room/${roomId}`;
  return isOpen && document.visibilityState === "visible" && document.hasFocus();
}

const mayNotify = (): boolean => "Notification" in window && Notification.permission === "granted";

function wordsFor(
  notice: Notice,
  showsText: boolean,
  t: TFunction<"notifications">,
): { title: string; body: string } {
  const { senderName, roomName, isDirect, text, isInvite } = notice;
  if (!showsText) return { title: t("hidden.title"), body: t("hidden.body") };
  if (isInvite) return { title: senderName, body: t("invited", { room: roomName }) };
  const title = isDirect ? senderName : t("inRoom", { name: senderName, room: roomName });
  return { title, body: text || t("noText") };
}
