import { useEffect, useState } from "react";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { cx } from "~/ui/cx";
import styles from "./connection-bar.module.css";

const BACK_SHOWN_MS = 2_000;

/** Says that the server is away, and shortly that it is back. */
export function ConnectionBar({ className }: { className: string | undefined }) {
  const { t } = useTranslation("shell");
  const { connection } = useSession();
  const { state } = useSlice(connection.state, "server");
  const isBack = useIsBack(state === "offline");
  if (state === "offline") {
    return (
      <div role="status" className={cx(styles.bar, styles.offline, className)}>
        {t("offline")}
        <Button kind="quiet" onPress={() => connection.retryNow()}>
          {t("retryNow")}
        </Button>
      </div>
    );
  }
  if (isBack) {
    return (
      <div role="status" className={cx(styles.bar, styles.back, className)}>
        {t("back")}
      </div>
    );
  }
  return null;
}

function useIsBack(isOffline: boolean): boolean {
  const [wasOffline, setWasOffline] = useState(false);
  if (isOffline && !wasOffline) setWasOffline(true);
  useEffect(() => {
    if (isOffline || !wasOffline) return;
    const timer = setTimeout(() => setWasOffline(false), BACK_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isOffline, wasOffline]);
  return wasOffline && !isOffline;
}
