import { Ban, Trash2, Unlock } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { part } from "~/matrix/own-api";
import { Button } from "~/ui/button";
import { Notice } from "~/ui/marks";
import { act, withReason } from "./act";
import styles from "./admin.module.css";
import { useFormat } from "./format";
import { Drawer, Facts, Waiting } from "./parts";
import { useAdmin, useAdminSend } from "./queries";
import { RoomMarks } from "./rooms";
import { Done, RoomDeletion, RoomDetails } from "./schemas";

/** One room: who is in it, where, and how to get rid of it. */
export function RoomDrawer({ roomId, onClose }: { roomId: string; onClose: () => void }) {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const room = useAdmin(RoomDetails, `rooms/${part(roomId)}`);
  const details = room.data;
  return (
    <Drawer title={details?.name || details?.canonical_alias || roomId} onClose={onClose}>
      <Waiting query={room}>
        {details && (
          <>
            <RoomMarks room={details} />
            <RoomActions roomId={roomId} isBlocked={details.is_blocked} onDeleted={onClose} />
            <Facts
              facts={[
                [t("room.id"), roomId],
                [t("room.topic"), details.topic || "–"],
                [t("room.creator"), details.creator ?? "–"],
                [t("room.version"), details.version ?? "–"],
                [t("room.members"), format.count(details.joined_members)],
                [t("room.events"), format.count(details.events)],
                [
                  t("room.joinRule"),
                  t(`joinRule.${details.join_rule ?? "invite"}`, { defaultValue: details.join_rule ?? "" }),
                ],
              ]}
            />
            <h4 className={styles.section}>{t("room.servers")}</h4>
            <ul className={styles.rows}>
              {details.servers.map(({ name, members }) => (
                <li key={name} className={styles.row}>
                  <span className={styles.rowText}>{name}</span>
                  <small>{t("room.memberCount", { count: members })}</small>
                </li>
              ))}
            </ul>
          </>
        )}
      </Waiting>
    </Drawer>
  );
}

function RoomActions({
  roomId,
  isBlocked,
  onDeleted,
}: {
  roomId: string;
  isBlocked: boolean;
  onDeleted: () => void;
}) {
  const { t } = useTranslation("admin");
  const send = useAdminSend();
  const [failure, setFailure] = useState<string>();
  const verb = isBlocked ? "unblock" : "block";
  const toggleBlock = () =>
    act({
      title: t(`roomAct.${verb}.title`),
      text: t(`roomAct.${verb}.text`),
      action: t(`roomAct.${verb}.action`),
      isDangerous: !isBlocked,
      run: async ({ reason }) => {
        await send(Done, "POST", `rooms/${part(roomId)}/${verb}`, withReason(reason));
        return t(`roomAct.${verb}.done`);
      },
    });

  /** First what would happen, then the question. */
  async function preview() {
    setFailure(undefined);
    try {
      const path = `rooms/${part(roomId)}/delete`;
      const { members, removed } = await send(RoomDeletion, "POST", path, { dry_run: true, block: true });
      const count = Math.max(removed, members.length);
      act({
        title: t("roomAct.delete.title"),
        text: (
          <>
            <p>{t("roomAct.delete.text", { count })}</p>
            <p className={styles.preview}>{members.slice(0, 12).join(", ")}</p>
          </>
        ),
        action: t("roomAct.delete.action"),
        isDangerous: true,
        run: async ({ reason }) => {
          await send(RoomDeletion, "POST", path, withReason(reason, { dry_run: false, block: true }));
          onDeleted();
          return t("roomAct.delete.done");
        },
      });
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    }
  }

  return (
    <>
      {failure && <Notice tone="danger">{failure}</Notice>}
      <div className={styles.actions}>
        <Button icon={isBlocked ? Unlock : Ban} onPress={toggleBlock}>
          {t(`roomAct.${verb}.action`)}
        </Button>
        <Button icon={Trash2} kind="danger" onPress={() => void preview()}>
          {t("roomAct.delete.action")}
        </Button>
      </div>
    </>
  );
}
