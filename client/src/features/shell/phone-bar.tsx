import { Link } from "@tanstack/react-router";
import { Hash, House, Inbox, User } from "lucide-react";
import { useInboxCount } from "~/features/inbox";
import { useLastRoomId } from "~/features/servers";
import { useTranslation } from "~/i18n/use-translation";
import { cx } from "~/ui/cx";
import { Badge } from "~/ui/marks";
import styles from "./phone-bar.module.css";

/** The four places of a phone: lists, chat, inbox, oneself. */
export function PhoneBar({ className }: { className: string | undefined }) {
  const { t } = useTranslation("shell");
  const lastRoom = useLastRoomId();
  const inboxCount = useInboxCount();
  return (
    <nav aria-label={t("phone")} className={cx(styles.bar, className)}>
      <Link to="/" activeOptions={{ exact: true }} className={styles.place}>
        <House size={20} strokeWidth={1.9} aria-hidden />
        {t("servers")}
      </Link>
      {lastRoom ? (
        <Link to="/room/$roomId" params={{ roomId: lastRoom }} className={styles.place}>
          <Hash size={20} strokeWidth={1.9} aria-hidden />
          {t("chat")}
        </Link>
      ) : (
        <span className={cx(styles.place, styles.none)}>
          <Hash size={20} strokeWidth={1.9} aria-hidden />
          {t("chat")}
        </span>
      )}
      <Link to="/inbox" className={styles.place}>
        <Inbox size={20} strokeWidth={1.9} aria-hidden />
        {t("inbox")}
        <span className={styles.badge}>
          <Badge count={inboxCount} label={t("waiting", { count: inboxCount })} />
        </span>
      </Link>
      <Link to={"/settings/profile" as "/"} className={styles.place}>
        <User size={20} strokeWidth={1.9} aria-hidden />
        {t("you")}
      </Link>
    </nav>
  );
}
