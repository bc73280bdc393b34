import { useParams, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Composer } from "~/features/composer";
import { Timeline } from "~/features/timeline";
import { useRoom } from "~/hooks/rooms";
import { asRoomId } from "~/matrix/ids";
import { Empty } from "~/ui/marks";
import styles from "./room.module.css";

/** A channel: its header, its timeline, its composer, and a panel beside them. */
export function RoomScreen() {
  const { t } = useTranslation("room");
  const { roomId } = useParams({ from: "/shell/room/$roomId" });
  const { event } = useSearch({ from: "/shell/room/$roomId" });
  const id = asRoomId(roomId);
  const room = useRoom(id);
  if (!room) return <Empty title={t("unknown")} />;
  return (
    <main aria-label={room.name} className={styles.main}>
      <header className={styles.header}>
        <h1 className={styles.name}>{room.name}</h1>
        <p className={styles.topic}>{room.topic}</p>
      </header>
      <Timeline key={id} roomId={id} eventId={event} />
      <Composer key={`composer-${id}`} roomId={id} />
    </main>
  );
}
