import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useMember, useRoom } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import type { LinkTarget } from "~/matrix/html";
import { asRoomId, localpartOf, type RoomId, type UserId } from "~/matrix/ids";
import { cx } from "~/ui/cx";
import styles from "./links.module.css";

/** A link of a message: people and channels as pills that open here, everything else in a window of its own. */
export function TextLink({
  roomId,
  target,
  children,
}: {
  roomId: RoomId;
  target: LinkTarget;
  children: ReactNode;
}) {
  if (target.kind === "user") return <PersonPill roomId={roomId} userId={target.userId} />;
  if (target.kind === "room" && target.room.startsWith("!")) {
    return <RoomPill roomId={asRoomId(target.room)} eventId={target.eventId} />;
  }
  if (target.kind === "room") return <AliasPill alias={target.room}>{children}</AliasPill>;
  return (
    <a href={target.href} target="_blank" rel="noopener noreferrer nofollow" className={styles.link}>
      {children}
    </a>
  );
}

function PersonPill({ roomId, userId }: { roomId: RoomId; userId: UserId }) {
  const { name } = useMember(roomId, userId);
  const isOwn = useSession().userId === userId;
  const shown = name === userId ? localpartOf(userId) : name;
  return (
    <Link
      to="/room/$roomId"
      params={{ roomId }}
      search={{ panel: "profile", user: userId }}
      className={cx(styles.pill, isOwn && styles.own)}
    >
      <bdi>@{shown.slice(0, 80)}</bdi>
    </Link>
  );
}

function RoomPill({ roomId, eventId }: { roomId: RoomId; eventId: string | undefined }) {
  const room = useRoom(roomId);
  return (
    <Link
      to="/room/$roomId"
      params={{ roomId }}
      search={eventId ? { event: eventId } : {}}
      className={styles.pill}
    >
      <bdi>#{room?.name ?? roomId}</bdi>
    </Link>
  );
}

/** The address of a room: leads there, or to the way in. */
function AliasPill({ alias, children }: { alias: string; children: ReactNode }) {
  return (
    <Link to="/room/$roomId" params={{ roomId: alias }} className={styles.pill}>
      <bdi>{children}</bdi>
    </Link>
  );
}
