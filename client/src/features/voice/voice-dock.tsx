import { useTranslation } from "react-i18next";
import { useSession } from "~/hooks/session";
import { Avatar } from "~/ui/avatar";
import { cx } from "~/ui/cx";
import styles from "./voice.module.css";

/** The panel below rail and channels: the call, if there is one, and oneself. */
export function VoiceDock({ className }: { className?: string | undefined }) {
  const { t } = useTranslation("voice");
  const { userId } = useSession();
  return (
    <section aria-label={t("dock")} className={cx(styles.dock, className)}>
      <Avatar name={userId} seed={userId} size={36} />
    </section>
  );
}
