import { Link } from "@tanstack/react-router";
import { BellOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { ElapsedChip, useJoinVoice, VoiceParticipants } from "~/features/voice";
import { useRoom, useUnread } from "~/hooks/rooms";
import type { RoomId } from "~/matrix/ids";
import { useContextMenu } from "~/ui/context-menu";
import { cx } from "~/ui/cx";
import { Badge, Chip } from "~/ui/marks";
import { channelIcon } from "./channel-icon";
import { useChannelEntries } from "./channel-menu";
import styles from "./channels.module.css";

/** A channel of the list: its kind, its name, what is new, and the menu of what one may do. */
export function ChannelRow({ id, serverId }: { id: RoomId; serverId: RoomId | undefined }) {
  const { t } = useTranslation("channels");
  const room = useRoom(id);
  const unread = useUnread(id);
  const entries = useChannelEntries(id, serverId);
  const { handlers, menu } = useContextMenu(t("menuOf", { name: room?.name }), entries);
  const { join, prepare } = useJoinVoice();
  if (!room) return null;
  const isVoice = room.kind === "voice";
  const Icon = channelIcon(room);
  return (
    <>
      <Link
        to="/room/$roomId"
        params={{ roomId: id }}
        draggable={false}
        {...handlers}
        {...(isVoice ? { onPointerEnter: prepare, onClick: () => void join(id) } : {})}
        className={cx(styles.row, unread.isUnread && styles.unread, unread.isMuted && styles.muted)}
      >
        <Icon size={18} strokeWidth={1.9} aria-hidden />
        <span className={styles.name}>{room.name}</span>
        {unread.isUnread && unread.mentions === 0 && <span className="sr-only">{t("unread")}</span>}
        <span className={styles.end}>
          {isVoice && <ElapsedChip roomId={id} />}
          {unread.isMuted && <BellOff size={15} strokeWidth={1.9} role="img" aria-label={t("muted")} />}
          {room.partnerServer && <Chip tone="partner">{room.partnerServer.split(".")[0]}</Chip>}
          <Badge count={unread.mentions} label={t("mentions", { count: unread.mentions })} />
        </span>
      </Link>
      {isVoice && <VoiceParticipants roomId={id} />}
      {menu}
    </>
  );
}
