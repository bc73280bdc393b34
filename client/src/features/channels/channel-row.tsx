import { Link } from "@tanstack/react-router";
import { BellOff, Pencil } from "lucide-react";
import { type ReactNode, useCallback } from "react";
import { useDrafts } from "~/features/composer";
import { ElapsedChip, useJoinVoice, VoiceParticipants } from "~/features/voice";
import { useRoom, useUnread } from "~/hooks/rooms";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { RoomSummary } from "~/matrix/rooms";
import { useContextMenu } from "~/ui/context-menu";
import { cx } from "~/ui/cx";
import { Badge, Chip } from "~/ui/marks";
import { channelIcon } from "./channel-icon";
import { useChannelEntries } from "./channel-menu";
import styles from "./channels.module.css";

interface ChannelRowProps {
  id: RoomId;
  serverId: RoomId | undefined;
}

/** A channel of the list: its kind, its name, what is new, and the menu of what one may do. */
export function ChannelRow({ id, serverId }: ChannelRowProps) {
  const room = useRoom(id);
  if (!room) return null;
  if (room.kind === "voice") return <VoiceRow room={room} serverId={serverId} />;
  return <Row room={room} serverId={serverId} />;
}

/** A voice channel: a click joins it, and who is inside stands below. */
function VoiceRow({ room, serverId }: { room: RoomSummary; serverId: RoomId | undefined }) {
  const { enter, prepare } = useJoinVoice();
  const onClick = useCallback(() => void enter(room.id), [enter, room.id]);
  return (
    <>
      <Row
        room={room}
        serverId={serverId}
        end={<ElapsedChip roomId={room.id} />}
        acts={{ onClick, onPointerEnter: prepare }}
      />
      <VoiceParticipants roomId={room.id} />
    </>
  );
}

function Row({
  room,
  serverId,
  end,
  acts,
}: {
  room: RoomSummary;
  serverId: RoomId | undefined;
  end?: ReactNode;
  acts?: { onClick: () => void; onPointerEnter: () => void };
}) {
  const { t } = useTranslation("channels");
  const unread = useUnread(room.id);
  const entries = useChannelEntries(room.id, serverId);
  const { handlers, menu } = useContextMenu(t("menuOf", { name: room.name }), entries);
  const Icon = channelIcon(room);
  return (
    <>
      <Link
        to="/room/$roomId"
        params={{ roomId: room.id }}
        draggable={false}
        {...handlers}
        {...acts}
        className={cx(styles.row, unread.isUnread && styles.unread, unread.isMuted && styles.muted)}
      >
        <Icon size={18} strokeWidth={1.9} aria-hidden />
        <span className={styles.name}>{room.name}</span>
        {unread.isUnread && unread.mentions === 0 && <span className="sr-only">{t("unread")}</span>}
        <span className={styles.end}>
          {end}
          <RoomMarks room={room} />
          {unread.isMuted && <BellOff size={15} strokeWidth={1.9} role="img" aria-label={t("muted")} />}
          <Badge count={unread.mentions} label={t("mentions", { count: unread.mentions })} />
        </span>
      </Link>
      {menu}
    </>
  );
}

/** Whose it is, and whether something was begun in it and not sent. */
function RoomMarks({ room }: { room: RoomSummary }) {
  const { t } = useTranslation("channels");
  const hasDraft = useDrafts().includes(room.id);
  return (
    <>
      {hasDraft && <Pencil size={13} strokeWidth={1.9} role="img" aria-label={t("draft")} />}
      {room.partnerServer && <Chip tone="partner">{room.partnerServer.split(".")[0]}</Chip>}
    </>
  );
}
