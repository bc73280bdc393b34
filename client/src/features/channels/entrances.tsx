import { Link } from "@tanstack/react-router";
import { Inbox, MessagesSquare, Search } from "lucide-react";
import { useInboxCount } from "~/features/inbox";
import { openDialog } from "~/hooks/dialogs";
import { shownKeys } from "~/hooks/keys";
import { useSession, useSlice } from "~/hooks/session";
import { shortcutKeys } from "~/hooks/shortcuts";
import { useTranslation } from "~/i18n/use-translation";
import { cx } from "~/ui/cx";
import { Badge } from "~/ui/marks";
import styles from "./channels.module.css";

/** What stands above every list: the switcher, the inbox, threads. */
export function Entrances() {
  const { t } = useTranslation("channels");
  const inboxCount = useInboxCount();
  const { threads } = useSlice(useSession().unread.sums, "everything");
  return (
    <>
      <button type="button" className={styles.jump} onClick={() => openDialog({ kind: "switcher" })}>
        <Search size={15} strokeWidth={1.9} aria-hidden />
        {t("jump")}
        <kbd aria-hidden>{shownKeys(shortcutKeys("switcher"))}</kbd>
      </button>
      <div className={styles.entrances}>
        <Link to="/inbox" className={cx(styles.row, inboxCount > 0 && styles.unread)}>
          <Inbox size={18} strokeWidth={1.9} aria-hidden />
          <span className={styles.name}>{t("inbox")}</span>
          <span className={styles.end}>
            <Badge count={inboxCount} label={t("waiting", { count: inboxCount })} />
          </span>
        </Link>
        <Link
          to="/inbox"
          search={{ show: "threads" }}
          className={styles.row}
          activeOptions={{ includeSearch: true }}
        >
          <MessagesSquare size={18} strokeWidth={1.9} aria-hidden />
          <span className={styles.name}>{t("threads")}</span>
          {threads > 0 && <span className={cx(styles.end, "num")}>{t("new", { count: threads })}</span>}
        </Link>
      </div>
    </>
  );
}
