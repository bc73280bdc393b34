import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { Name, useMessage, useMessageTimes, useSummary } from "~/features/timeline";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { Message, ThreadRow } from "~/matrix/timeline";
import { Button } from "~/ui/button";
import { Badge, Empty, Spinner } from "~/ui/marks";
import styles from "./thread-list.module.css";

/** The threads of a room, the one last spoken in first. */
export function ThreadList({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("thread");
  const { threads } = useSession();
  const rows = useSlice(threads.rooms, roomId);
  const [status, setStatus] = useState<"loading" | "ready" | "failed">("loading");
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt is why it runs again.
  useEffect(() => {
    let isWanted = true;
    const settle = (next: "ready" | "failed") => isWanted && setStatus(next);
    threads.load(roomId).then(
      () => settle("ready"),
      () => settle("failed"),
    );
    return () => {
      isWanted = false;
    };
  }, [threads, roomId, attempt]);
  return (
    <>
      {status === "loading" && rows.length === 0 && <Spinner label={t("loading")} />}
      {status === "failed" && (
        <Empty title={t("failed")}>
          <Button onPress={() => setAttempt(attempt + 1)}>{t("retry")}</Button>
        </Empty>
      )}
      {status === "ready" && rows.length === 0 && (
        <Empty title={t("none")}>
          <p>{t("noneHint")}</p>
        </Empty>
      )}
      <ul className={styles.list}>
        {rows.map((row) => (
          <li key={row.threadId}>
            <Row roomId={roomId} row={row} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Row({ roomId, row }: { roomId: RoomId; row: ThreadRow }) {
  const { t } = useTranslation("thread");
  const times = useMessageTimes();
  const { message } = useMessage(roomId, row.threadId);
  return (
    <Link
      to="/room/$roomId"
      params={{ roomId }}
      search={(search) => ({ ...search, thread: row.threadId })}
      className={styles.row}
    >
      {message && <Root roomId={roomId} message={message} />}
      <span className={styles.foot}>
        <span>{t("replies", { count: row.count })}</span>
        <time className="num">{times.ago(row.lastTs)}</time>
        {row.unread > 0 && row.mentions === 0 && (
          <i role="img" className={styles.unread} aria-label={t("unread", { count: row.unread })} />
        )}
        <Badge count={row.mentions} label={t("mentions", { count: row.mentions })} />
      </span>
    </Link>
  );
}

function Root({ roomId, message }: { roomId: RoomId; message: Message }) {
  const summary = useSummary(message);
  return (
    <>
      <b className={styles.name}>
        <Name roomId={roomId} userId={message.sender} />
      </b>
      <bdi className={styles.words}>{summary}</bdi>
    </>
  );
}
