import { Link, useSearch } from "@tanstack/react-router";
import { CheckCheck } from "lucide-react";
import { InvitationCard } from "~/features/invites";
import { useAttempt } from "~/hooks/act";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { cx } from "~/ui/cx";
import { Empty, Notice, Spinner } from "~/ui/marks";
import { Panel } from "~/ui/panel";
import styles from "./inbox.module.css";
import { KnockRow } from "./knock-row";
import { MessageRow } from "./message-row";
import { useInbox } from "./use-inbox";

/** Everything that waits for this person, in one list. */
export function InboxScreen() {
  const { t } = useTranslation("inbox");
  const { show } = useSearch({ from: "/shell/inbox" });
  const { inbox, rooms } = useSession();
  const invited = useSlice(rooms.lists, "invited");
  const { state, messages, knocks, retry } = useInbox();
  const attempt = useAttempt();
  const shown = messages.filter(({ kind }) => show !== "threads" || kind === "thread");
  const isAll = show !== "threads";
  const isEmpty = shown.length === 0 && (!isAll || (invited.length === 0 && knocks.length === 0));

  return (
    <Panel label={t("title")} className={styles.main}>
      <header className={styles.header}>
        <h1>{t("title")}</h1>
        <nav aria-label={t("filter")} className={styles.filters}>
          <Link
            to="/inbox"
            activeOptions={{ includeSearch: true, exact: true }}
            className={cx(styles.filter)}
          >
            {t("all")}
          </Link>
          <Link to="/inbox" search={{ show: "threads" }} className={cx(styles.filter)}>
            {t("threads")}
          </Link>
        </nav>
        {shown.length > 0 && (
          <Button kind="quiet" icon={CheckCheck} onPress={() => attempt(() => inbox.finishAll())}>
            {t("allDone")}
          </Button>
        )}
      </header>
      <div className={styles.list}>
        {isAll && invited.map((id) => <InvitationCard key={id} roomId={id} />)}
        {isAll &&
          knocks.map((knock) => (
            <KnockRow key={`${knock.roomId}${knock.userId}`} knock={knock} onAnswered={retry} />
          ))}
        {shown.map((message) => (
          <MessageRow key={message.eventId} message={message} />
        ))}
        {state === "loading" && <Spinner label={t("ui:loading")} />}
        {state === "failed" && (
          <Notice tone="danger">
            {t("failed")} <Button onPress={retry}>{t("ui:retry")}</Button>
          </Notice>
        )}
        {state === "ready" && isEmpty && (
          <Empty title={t("empty")}>
            <p>{t("emptyText")}</p>
          </Empty>
        )}
      </div>
    </Panel>
  );
}
