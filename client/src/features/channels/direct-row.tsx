import { Link } from "@tanstack/react-router";
import { BellOff } from "lucide-react";
import { useMediaUrl } from "~/hooks/media";
import { useRoom, useUnread } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { asUserId, type RoomId } from "~/matrix/ids";
import { Avatar } from "~/ui/avatar";
import { useContextMenu } from "~/ui/context-menu";
import { cx } from "~/ui/cx";
import { Badge } from "~/ui/marks";
import { useChannelEntries } from "./channel-menu";
import styles from "./channels.module.css";
import { shortTime } from "./short-time";

/** A direct message of the list: who, and when something was last said. */
export function DirectRow({ id }: { id: RoomId }) {
  const { t, i18n } = useTranslation("channels");
  const language = navigator.languages.find((tag) => tag.startsWith(i18n.language)) ?? i18n.language;
  const room = useRoom(id);
  const unread = useUnread(id);
  const src = useMediaUrl(room?.avatarMxc, 26);
  const presence = useSlice(useSession().presence.of, room?.directWith ?? asUserId(""));
  const entries = useChannelEntries(id, undefined);
  const { handlers, menu } = useContextMenu(t("menuOf", { name: room?.name }), entries);
  if (!room) return null;
  return (
    <>
      <Link
        to="/room/$roomId"
        params={{ roomId: id }}
        draggable={false}
        {...handlers}
        className={cx(
          styles.row,
          styles.direct,
          unread.isUnread && styles.unread,
          unread.isMuted && styles.muted,
        )}
      >
        <Avatar
          name={room.name}
          seed={room.directWith ?? id}
          src={src}
          size={26}
          presence={room.directWith && presence.state}
        />
        <span className={styles.name}>{room.name}</span>
        <span className={styles.end}>
          {unread.isMuted && <BellOff size={15} strokeWidth={1.9} role="img" aria-label={t("muted")} />}
          {unread.count > 0 ? (
            <Badge count={unread.count} label={t("waiting", { count: unread.count })} />
          ) : (
            room.lastTs > 0 && (
              <time className="num" dateTime={new Date(room.lastTs).toISOString()}>
                {shortTime(room.lastTs, Date.now(), language)}
              </time>
            )
          )}
        </span>
      </Link>
      {menu}
    </>
  );
}
