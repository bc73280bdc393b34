import { useTranslation } from "~/i18n/use-translation";
import type { WindowEnd } from "~/matrix/timeline";
import { Button } from "~/ui/button";
import { Spinner } from "~/ui/marks";
import styles from "./timeline-start.module.css";

/** What stands above the oldest message that is there. */
export function TimelineStart({
  name,
  isThread,
  isDirect,
  start,
  onMore,
}: {
  name: string;
  isThread: boolean;
  /** A conversation of two has a partner, not a name. */
  isDirect: boolean;
  start: WindowEnd;
  onMore: () => void;
}) {
  const { t } = useTranslation("timeline");
  if (start === "end") {
    if (isThread) return <div className={styles.gap} />;
    return (
      <div className={styles.beginning}>
        <p className={styles.title}>{t(isDirect ? "beginningDirect" : "beginning", { name })}</p>
        <p>{t("beginningHint")}</p>
      </div>
    );
  }
  return (
    <div className={styles.more}>
      {start === "failed" || start === "quiet" ? (
        <Button onPress={onMore}>{t(start === "failed" ? "olderFailed" : "showOlder")}</Button>
      ) : (
        start === "loading" && <Spinner label={t("loadingOlder")} />
      )}
    </div>
  );
}
