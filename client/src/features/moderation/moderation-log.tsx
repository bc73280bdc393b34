import { useEffect, useState } from "react";
import { useFailureText } from "~/hooks/act";
import { useRoleNames } from "~/hooks/permissions";
import { useMember, useRoom } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import { useTimes } from "~/hooks/times";
import { useTranslation } from "~/i18n/use-translation";
import { asUserId, type RoomId } from "~/matrix/ids";
import type { LogEntry } from "~/matrix/moderation-log";
import type { Session } from "~/matrix/session";
import { Button } from "~/ui/button";
import { Empty, Notice, Spinner } from "~/ui/marks";
import { Select } from "~/ui/select";
import { LogReader } from "./log-reader";
import styles from "./moderation.module.css";

/** What moderators did in the channels of a server that one moderates. */
export function ModerationLog({ serverId }: { serverId?: RoomId }) {
  const { t } = useTranslation("moderation");
  const session = useSession();
  const servers = useSlice(session.spaces.servers, "servers").filter((id) => moderates(session, id));
  const [chosen, setChosen] = useState(serverId);
  const shown = chosen ?? servers[0];
  if (!shown) return <Empty title={t("log.noServer")} />;
  const options = servers.map((id) => ({ id, label: session.rooms.summary(id)?.name ?? id }));
  return (
    <>
      <p>{t("log.explanation")}</p>
      {serverId === undefined && (
        <Select label={t("log.server")} value={shown} options={options} onChange={setChosen} />
      )}
      <Log key={shown} serverId={shown} />
    </>
  );
}

const moderates = (session: Session, serverId: RoomId) =>
  [serverId, ...session.spaces.roomsBelow(serverId)].some((id) => session.permissions.can(id).kick);

function Log({ serverId }: { serverId: RoomId }) {
  const { t } = useTranslation("moderation");
  const failureText = useFailureText();
  const { entries, hasMore, isPending, failure, more } = useLog(serverId);
  return (
    <>
      {entries.length > 0 && (
        <ol className={styles.log}>
          {entries.map((entry) => (
            <Entry key={`${entry.id} ${entry.target ?? ""}`} entry={entry} />
          ))}
        </ol>
      )}
      {isPending && <Spinner label={t("log.loading")} />}
      {failure !== undefined && <Notice tone="danger">{failureText(failure)}</Notice>}
      {!isPending && entries.length === 0 && !hasMore && <Empty title={t("log.none")} />}
      {!isPending && hasMore && (
        <Button className={styles.more} onPress={more}>
          {t("log.more")}
        </Button>
      )}
    </>
  );
}

/** Entries shown at first, and with every further step. */
const STEP = 50;

function useLog(serverId: RoomId) {
  const session = useSession();
  const [wanted, setWanted] = useState(STEP);
  const [entries, setEntries] = useState<readonly LogEntry[]>([]);
  const [isPending, setPending] = useState(true);
  const [hasMore, setHasMore] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const [reader] = useState(() => {
    const rooms = [serverId, ...session.spaces.roomsBelow(serverId)];
    return new LogReader(rooms, (roomId, signal) => session.moderation.log(roomId, signal));
  });
  useEffect(() => {
    const stopping = new AbortController();
    setPending(true);
    setFailure(undefined);
    reader
      .read(wanted, stopping.signal)
      .then((read) => {
        if (stopping.signal.aborted) return;
        setEntries(read);
        setHasMore(reader.hasMore(wanted));
      })
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) setFailure(error);
      })
      .finally(() => {
        if (!stopping.signal.aborted) setPending(false);
      });
    return () => stopping.abort();
  }, [reader, wanted]);
  return { entries, hasMore, isPending, failure, more: () => setWanted(wanted + STEP) };
}

function Entry({ entry }: { entry: LogEntry }) {
  const { t } = useTranslation("moderation");
  const times = useTimes();
  const channel = useRoom(entry.roomId)?.name ?? "";
  const actor = useMember(entry.roomId, entry.actor).name;
  const target = useMember(entry.roomId, entry.target ?? asUserId("")).name;
  const nameOf = useRoleNames(entry.roomId);
  const levels = entry.levels && {
    before: nameOf(entry.levels.before),
    after: nameOf(entry.levels.after),
  };
  return (
    <li className={styles.entry}>
      <span>{t(`log.${entry.act}`, { actor, target, ...levels })}</span>
      <time className={styles.when} dateTime={new Date(entry.ts).toISOString()}>
        {times.moment(entry.ts)}
      </time>
      <span className={styles.where}>{channel}</span>
      {entry.reason && <span className={styles.reason}>{t("log.reason", { reason: entry.reason })}</span>}
    </li>
  );
}
