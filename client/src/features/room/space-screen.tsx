import { Settings, UserPlus } from "lucide-react";
import { useEffect } from "react";
import { useCurrentServer } from "~/features/servers";
import { openDialog } from "~/hooks/dialogs";
import { useMediaUrl } from "~/hooks/media";
import { usePermissions } from "~/hooks/permissions";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomSummary } from "~/matrix/rooms";
import { Avatar } from "~/ui/avatar";
import { Button } from "~/ui/button";
import { Panel } from "~/ui/panel";
import styles from "./room.module.css";

/** A server or category by its own address: what it is, with its channels in the list beside it. */
export function SpaceScreen({ room }: { room: RoomSummary }) {
  const { t } = useTranslation("room");
  const can = usePermissions(room.id);
  const src = useMediaUrl(room.avatarMxc, 72);
  const { serverId } = useSlice(useSession().spaces.serverOf, room.id);
  useEffect(() => {
    useCurrentServer.setState({ serverId: serverId ?? room.id });
  }, [serverId, room.id]);
  return (
    <Panel label={room.name} className={styles.page}>
      <article className={styles.card}>
        <Avatar name={room.name} seed={room.id} src={src} shape="place" size={72} />
        <h1>{room.name}</h1>
        {room.topic && <p>{room.topic}</p>}
        <p>{t("memberCount", { count: room.joinedCount })}</p>
        <div className={styles.acts}>
          {can.invite && (
            <Button icon={UserPlus} onPress={() => openDialog({ kind: "invite", roomId: room.id })}>
              {t("invite")}
            </Button>
          )}
          <Button icon={Settings} onPress={() => openDialog({ kind: "room-settings", roomId: room.id })}>
            {t("settings")}
          </Button>
        </div>
      </article>
    </Panel>
  );
}
