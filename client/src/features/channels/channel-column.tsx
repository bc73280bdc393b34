import { Link } from "@tanstack/react-router";
import { Hash, Lock, Megaphone, Volume2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useCurrentServer } from "~/features/servers";
import { ElapsedChip, useJoinVoice, VoiceParticipants } from "~/features/voice";
import { useRoom, useUnread } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import type { RoomId } from "~/matrix/ids";
import type { RoomSummary } from "~/matrix/rooms";
import type { Category } from "~/matrix/spaces";
import { cx } from "~/ui/cx";
import { Badge } from "~/ui/marks";
import styles from "./channels.module.css";

export function ChannelColumn({ className }: { className?: string | undefined }) {
  const { t } = useTranslation("channels");
  const { serverId } = useCurrentServer();
  return (
    <nav aria-label={t("column")} className={cx(styles.column, className)}>
      {serverId ? <ServerChannels serverId={serverId} /> : <Directs />}
    </nav>
  );
}

function ServerChannels({ serverId }: { serverId: RoomId }) {
  const categories = useSlice(useSession().spaces.categories, serverId);
  return categories.map((category) => <CategoryList key={category.id ?? "own"} category={category} />);
}

function CategoryList({ category }: { category: Category }) {
  return (
    <ul>
      {category.channels.map((id) => (
        <li key={id}>
          <ChannelRow id={id} />
        </li>
      ))}
    </ul>
  );
}

function Directs() {
  const rooms = useSlice(useSession().rooms.lists, "joined");
  return (
    <ul>
      {rooms.map((id) => (
        <li key={id}>
          <ChannelRow id={id} />
        </li>
      ))}
    </ul>
  );
}

function ChannelRow({ id }: { id: RoomId }) {
  const { t } = useTranslation("channels");
  const room = useRoom(id);
  const unread = useUnread(id);
  const { join, prepare } = useJoinVoice();
  if (!room || room.kind === "space") return null;
  const Icon = iconOf(room);
  const isVoice = room.kind === "voice";
  return (
    <>
      <Link
        to="/room/$roomId"
        params={{ roomId: id }}
        className={cx(styles.row, unread.count > 0 && styles.unread)}
        {...(isVoice ? { onPointerEnter: prepare, onClick: () => void join(id) } : {})}
      >
        <Icon size={18} strokeWidth={1.9} aria-hidden />
        <span className={styles.name}>{room.name}</span>
        {isVoice && <ElapsedChip roomId={id} />}
        <Badge count={unread.mentions} label={t("mentions", { count: unread.mentions })} />
      </Link>
      {isVoice && <VoiceParticipants roomId={id} />}
    </>
  );
}

function iconOf(room: RoomSummary) {
  if (room.kind === "voice") return Volume2;
  if (room.kind === "announcement") return Megaphone;
  return room.isPublic ? Hash : Lock;
}
