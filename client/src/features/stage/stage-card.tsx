import { Link } from "@tanstack/react-router";
import { ArrowUpRight, ScreenShare, Volume2 } from "lucide-react";
import type { CurrentCall } from "~/calls/types";
import { useCallMembers, useCurrentCall } from "~/hooks/calls";
import { useMember, useRoom } from "~/hooks/rooms";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId, UserId } from "~/matrix/ids";
import { Share } from "./share-tile";
import styles from "./stage-card.module.css";
import { Tile } from "./tile";

/** People on the card; the rest are on the channel's own page. */
const SHOWN_MAX = 6;

/** Whether the running call is shown beside this room's chat. */
export function useHasStageCard(beside: RoomId): boolean {
  const call = useCurrentCall();
  return call !== undefined && call.roomId !== beside;
}

/** The running call beside a chat; nothing while there is none, or on the call's own page. */
export function StageCard({ beside }: { beside: RoomId }) {
  const call = useCurrentCall();
  return call && call.roomId !== beside ? <Card call={call} /> : null;
}

function Card({ call }: { call: CurrentCall }) {
  const { t } = useTranslation("stage");
  const members = useCallMembers(call.roomId);
  const room = useRoom(call.roomId);
  const name = room?.name ?? "";
  const sharer = members.find(({ isSharing, isMe }) => isSharing && !isMe);
  return (
    <section aria-label={t("card", { name })} className={styles.card}>
      <header className={styles.header}>
        {sharer ? (
          <ScreenShare size={15} strokeWidth={1.9} aria-hidden />
        ) : (
          <Volume2 size={15} strokeWidth={1.9} aria-hidden />
        )}
        <span className={styles.title}>
          {sharer ? <Sharing roomId={call.roomId} userId={sharer.userId} /> : name}
        </span>
        <Link
          to="/room/$roomId"
          params={{ roomId: call.roomId }}
          aria-label={t("open")}
          className={styles.open ?? ""}
        >
          <ArrowUpRight size={15} strokeWidth={1.9} aria-hidden />
        </Link>
      </header>
      {sharer && <Share roomId={call.roomId} member={sharer} isWatched={call.watched.includes(sharer.key)} />}
      <ul aria-label={t("people")} className={styles.people}>
        {members.slice(0, SHOWN_MAX).map((member) => (
          <Tile
            key={member.key}
            roomId={call.roomId}
            member={member}
            isPinned={call.pinned === member.key}
            place="card"
          />
        ))}
      </ul>
    </section>
  );
}

function Sharing({ roomId, userId }: { roomId: RoomId; userId: UserId }) {
  const { t } = useTranslation("stage");
  return t("isSharing", { name: useMember(roomId, userId).name });
}
