import { ImageUp, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { FileTrigger } from "react-aria-components/FileTrigger";
import { RoomNotificationMenu } from "~/features/notifications";
import { useAct } from "~/hooks/act";
import { useMediaUrl } from "~/hooks/media";
import { usePermissions } from "~/hooks/permissions";
import { useRoom } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { Avatar } from "~/ui/avatar";
import { Button } from "~/ui/button";
import { TextField } from "~/ui/field";
import { Notice } from "~/ui/marks";
import styles from "./room-settings.module.css";

/** Name, topic and picture. */
export function OverviewPage({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("room-settings");
  const { settings } = useSession();
  const room = useRoom(roomId);
  const can = usePermissions(roomId);
  const { version } = useSlice(settings.details, roomId);
  const [name, setName] = useState(room?.name ?? "");
  const [topic, setTopic] = useState(room?.topic ?? "");
  const { isPending, error, run } = useAct();
  const hasNewName = can.changeName && name.trim() !== "" && name.trim() !== room?.name;
  const hasNewTopic = can.changeTopic && topic.trim() !== room?.topic;

  async function save(event: FormEvent) {
    event.preventDefault();
    await run(async () => {
      if (hasNewName) await settings.setName(roomId, name);
      if (hasNewTopic) await settings.setTopic(roomId, topic);
    });
  }

  return (
    <>
      <Picture roomId={roomId} isChangeable={can.changeAvatar} />
      <form className={styles.form} onSubmit={(event) => void save(event)}>
        <TextField
          label={t("name")}
          value={name}
          onChange={setName}
          maxLength={100}
          isReadOnly={!can.changeName}
        />
        <TextField
          isMultiline
          label={t("topic")}
          value={topic}
          onChange={setTopic}
          maxLength={1000}
          isReadOnly={!can.changeTopic}
        />
        {error && <Notice tone="danger">{error}</Notice>}
        {(can.changeName || can.changeTopic) && (
          <div className={styles.acts}>
            <Button
              type="submit"
              kind="primary"
              isDisabled={!hasNewName && !hasNewTopic}
              isPending={isPending}
            >
              {t("ui:save")}
            </Button>
          </div>
        )}
      </form>
      {room?.kind !== "space" && (
        <section className={styles.line}>
          <h3>{t("notifications")}</h3>
          <RoomNotificationMenu roomId={roomId} />
        </section>
      )}
      <p className={styles.small}>{t("technical", { id: roomId, version })}</p>
    </>
  );
}

function Picture({ roomId, isChangeable }: { roomId: RoomId; isChangeable: boolean }) {
  const { t } = useTranslation("room-settings");
  const { settings } = useSession();
  const room = useRoom(roomId);
  const src = useMediaUrl(room?.avatarMxc, 72);
  const { isPending, error, run } = useAct();
  return (
    <div className={styles.picture}>
      <Avatar name={room?.name ?? ""} seed={roomId} src={src} shape="place" size={72} />
      {isChangeable && (
        <FileTrigger
          acceptedFileTypes={["image/png", "image/jpeg", "image/webp", "image/gif"]}
          onSelect={(files) => {
            const file = files?.[0];
            if (file) void run(() => settings.setPicture(roomId, file));
          }}
        >
          <Button icon={ImageUp} isPending={isPending}>
            {t("picture")}
          </Button>
        </FileTrigger>
      )}
      {isChangeable && room?.avatarMxc && (
        <Button
          kind="quiet"
          icon={Trash2}
          onPress={() => void run(() => settings.setPicture(roomId, undefined))}
        >
          {t("noPicture")}
        </Button>
      )}
      {error && <Notice tone="danger">{error}</Notice>}
    </div>
  );
}
