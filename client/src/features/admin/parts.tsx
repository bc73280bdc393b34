import { X } from "lucide-react";
import { type ReactNode, useLayoutEffect, useRef } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { ApiError } from "~/matrix/own-api";
import { Button, IconButton } from "~/ui/button";
import { Notice, Spinner } from "~/ui/marks";
import styles from "./admin.module.css";
import type { useAdminList } from "./queries";

/** The head of a page: its name, a line about it, and what one can do there. */
export function PageHead({ title, text, children }: { title: string; text?: string; children?: ReactNode }) {
  return (
    <header className={styles.head}>
      <div className={styles.headText}>
        <h2 className={styles.title}>{title}</h2>
        {text && <p className={styles.lead}>{text}</p>}
      </div>
      <div className={styles.tools}>{children}</div>
    </header>
  );
}

interface Asked {
  isPending: boolean;
  error: Error | null;
  refetch: () => unknown;
}

/** What stands there while something is asked for, and when it was refused. */
export function Waiting({ query, children }: { query: Asked; children: ReactNode }) {
  const { t } = useTranslation("ui");
  if (query.error) return <Failure error={query.error} onRetry={() => void query.refetch()} />;
  if (query.isPending) return <Spinner label={t("loading")} />;
  return children;
}

function Failure({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const { t } = useTranslation(["admin", "ui"]);
  const isAbsent = error instanceof ApiError && error.errcode === "M_UNRECOGNIZED";
  return (
    <Notice tone="danger">
      <p>{isAbsent ? t("absent") : t("ui:somethingFailed", { reason: error.message })}</p>
      <Button kind="quiet" onPress={onRetry}>
        {t("ui:retry")}
      </Button>
    </Notice>
  );
}

/** The button below a list that has more. */
export function More({ list }: { list: ReturnType<typeof useAdminList>["list"] }) {
  const { t } = useTranslation("ui");
  if (!list.hasNextPage) return null;
  return (
    <Button isPending={list.isFetchingNextPage} onPress={() => void list.fetchNextPage()}>
      {t("more")}
    </Button>
  );
}

/** A number that matters, with its name. */
export function Stat({
  label,
  value,
  detail,
}: {
  label: string;
  value: string;
  detail?: string | undefined;
}) {
  return (
    <div className={styles.stat}>
      <dt>{label}</dt>
      <dd>{value}</dd>
      {detail && <dd className={styles.statDetail}>{detail}</dd>}
    </div>
  );
}

/** What is known of one row, beside the list. It takes the focus from what opened it, and gives it back; Escape closes it. */
export function Drawer({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const { t } = useTranslation("ui");
  const drawer = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const own = drawer.current;
    const opener = document.activeElement;
    // An address that was opened with it leaves the focus at the page's beginning.
    if (opener !== document.body) own?.focus();
    return () => {
      const isElsewhere = document.activeElement !== document.body && !own?.contains(document.activeElement);
      if (!isElsewhere && opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    <aside
      ref={drawer}
      className={styles.drawer}
      aria-label={title}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.defaultPrevented) return;
        event.preventDefault();
        onClose();
      }}
    >
      <header className={styles.drawerHead}>
        <h3 className={styles.drawerTitle}>{title}</h3>
        <IconButton icon={X} size="small" label={t("close")} onPress={onClose} />
      </header>
      <div className={styles.drawerBody}>{children}</div>
    </aside>
  );
}

/** Facts as name and value. */
export function Facts({ facts }: { facts: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <div key={name} className={styles.fact}>
          <dt>{name}</dt>
          <dd>{value ?? "–"}</dd>
        </div>
      ))}
    </dl>
  );
}
