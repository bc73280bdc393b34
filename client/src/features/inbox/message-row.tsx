import { Link } from "@tanstack/react-router";
import { AtSign, Check, MessagesSquare } from "lucide-react";
import { shortTime } from "~/features/channels";
import { useAttempt } from "~/hooks/act";
import { useMediaUrl } from "~/hooks/media";
import { useMember, useRoom } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { InboxMessage } from "~/matrix/inbox";
import { Avatar } from "~/ui/avatar";
import { IconButton } from "~/ui/button";
import { cx } from "~/ui/cx";
import styles from "./inbox.module.css";

/** A mention or a reply in a thread: opens where it was said. */
export function MessageRow({ message }: { message: InboxMessage }) {
  const { t, i18n } = useTranslation("inbox");
  const language = navigator.languages.find((tag) => tag.startsWith(i18n.language)) ?? i18n.language;
  const { inbox } = useSession();
  const attempt = useAttempt();
  const sender = useMember(message.roomId, message.sender);
  const room = useRoom(message.roomId);
  const src = useMediaUrl(sender.avatarMxc, 36);
  const Icon = message.kind === "mention" ? AtSign : MessagesSquare;
  const search = message.threadId
    ? { event: message.eventId, thread: message.threadId }
    : { event: message.eventId };
  return (
    <article className={cx(styles.item, !message.isRead && styles.new)}>
      <Avatar name={sender.name} seed={message.sender} src={src} size={36} />
      <Link to="/room/$roomId" params={{ roomId: message.roomId }} search={search} className={styles.open}>
        <span className={styles.line}>
          <b>{sender.name}</b>
          <Icon size={13} strokeWidth={2} role="img" aria-label={t(message.kind)} />
          <span className={styles.where}>{room?.name ?? message.roomId}</span>
          <time className="num" dateTime={new Date(message.ts).toISOString()}>
            {shortTime(message.ts, Date.now(), language)}
          </time>
        </span>
        <span className={styles.text}>{message.text ?? t("unreadable")}</span>
      </Link>
      <IconButton
        icon={Check}
        label={t("done")}
        onPress={() => attempt(() => inbox.finish(message.eventId))}
      />
    </article>
  );
}
