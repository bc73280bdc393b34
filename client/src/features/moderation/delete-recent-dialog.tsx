import { useEffect, useRef, useState } from "react";
import { useFailureText } from "~/hooks/act";
import { useMember, useRoom } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId, UserId } from "~/matrix/ids";
import type { DeletionProgress } from "~/matrix/moderation";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { TextField } from "~/ui/field";
import { Notice } from "~/ui/marks";
import { Select } from "~/ui/select";
import styles from "./moderation.module.css";
import { useServerRooms } from "./server-rooms";

const DAY_MS = 24 * 60 * 60_000;

interface Props {
  roomId: RoomId;
  userId: UserId;
  onClose: () => void;
}

type Stage =
  | { is: "asking" }
  | { is: "deleting"; progress: DeletionProgress }
  | { is: "done"; progress: DeletionProgress; wasStopped: boolean };

/** Deletes what somebody wrote in the last day, here or in the whole server; it can be stopped. */
export function DeleteRecentDialog({ roomId, userId, onClose }: Props) {
  const { t } = useTranslation("moderation");
  const { moderation } = useSession();
  const { name } = useMember(roomId, userId);
  const channel = useRoom(roomId)?.name ?? "";
  const failureText = useFailureText();
  const serverRooms = useServerRooms(roomId).filter((id) => moderation.canDeleteIn(id));
  const [where, setWhere] = useState<"here" | "server">("here");
  const [reason, setReason] = useState("");
  const [stage, setStage] = useState<Stage>({ is: "asking" });
  const [failure, setFailure] = useState<string>();
  const stopping = useRef(new AbortController());
  useEffect(() => () => stopping.current.abort(), []);

  async function deleteAll() {
    const { signal } = stopping.current;
    let progress: DeletionProgress = { found: 0, deleted: 0 };
    setStage({ is: "deleting", progress });
    setFailure(undefined);
    try {
      const rooms = where === "server" ? serverRooms : [roomId];
      const wanted = { rooms, userId, sinceTs: Date.now() - DAY_MS, reason: reason.trim() };
      await moderation.deleteRecent(
        wanted,
        (now) => {
          progress = now;
          setStage({ is: "deleting", progress });
        },
        signal,
      );
      setStage({ is: "done", progress, wasStopped: false });
    } catch (error) {
      if (!signal.aborted) setFailure(failureText(error));
      setStage({ is: "done", progress, wasStopped: true });
    }
  }

  return (
    <Dialog
      title={t("deleteRecent.title", { name })}
      isOpen
      onClose={onClose}
      size="small"
      role="alertdialog"
      footer={
        stage.is === "asking" ? (
          <>
            <Button kind="quiet" onPress={onClose}>
              {t("cancel")}
            </Button>
            <Button kind="danger" onPress={() => void deleteAll()}>
              {t("deleteRecent.action")}
            </Button>
          </>
        ) : stage.is === "deleting" ? (
          <Button onPress={() => stopping.current.abort()}>{t("deleteRecent.stop")}</Button>
        ) : (
          <Button kind="primary" onPress={onClose}>
            {t("close")}
          </Button>
        )
      }
    >
      {stage.is === "asking" ? (
        <>
          <p>{t("deleteRecent.explanation", { name })}</p>
          {serverRooms.length > 1 && (
            <Select
              label={t("deleteRecent.where")}
              value={where}
              options={[
                { id: "here", label: t("deleteRecent.here", { channel }) },
                { id: "server", label: t("deleteRecent.server", { count: serverRooms.length }) },
              ]}
              onChange={setWhere}
            />
          )}
          <TextField label={t("reason")} hint={t("reasonHint")} value={reason} onChange={setReason} />
        </>
      ) : (
        <Progress stage={stage} />
      )}
      {failure && <Notice tone="danger">{failure}</Notice>}
    </Dialog>
  );
}

function Progress({ stage }: { stage: Exclude<Stage, { is: "asking" }> }) {
  const { t } = useTranslation("moderation");
  const { found, deleted } = stage.progress;
  const key = stage.is === "deleting" ? "running" : stage.wasStopped ? "stopped" : "done";
  return (
    <div role="status" className={styles.progress}>
      <p>{t(`deleteRecent.${key}`, { count: deleted, found })}</p>
      <progress
        aria-label={t("deleteRecent.progress")}
        max={Math.max(1, found)}
        value={stage.is === "done" && found === 0 ? 1 : deleted}
      />
    </div>
  );
}
