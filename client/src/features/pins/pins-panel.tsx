import { Link } from "@tanstack/react-router";
import { ArrowDown, ArrowUp, PinOff } from "lucide-react";
import { MessageCard, MissingMessage, useMessage } from "~/features/timeline";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { EventId, RoomId } from "~/matrix/ids";
import { IconButton } from "~/ui/button";
import { Empty } from "~/ui/marks";
import { toast } from "~/ui/toast";
import styles from "./pins-panel.module.css";

/** What the room has pinned, in an order that those who may pin decide. */
export function PinsPanel({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("pins");
  const { pins } = useSession();
  const pinned = useSlice(pins.rooms, roomId);
  return (
    <>
      {pinned.length === 0 && (
        <Empty title={t("none")}>
          <p>{t("noneHint")}</p>
        </Empty>
      )}
      <ol className={styles.list}>
        {pinned.map((eventId, index) => (
          <li key={eventId} className={styles.pin}>
            <Pinned
              roomId={roomId}
              eventId={eventId}
              isFirst={index === 0}
              isLast={index === pinned.length - 1}
            />
          </li>
        ))}
      </ol>
    </>
  );
}

function Pinned({
  roomId,
  eventId,
  isFirst,
  isLast,
}: {
  roomId: RoomId;
  eventId: EventId;
  isFirst: boolean;
  isLast: boolean;
}) {
  const { t } = useTranslation("pins");
  const { pins, permissions } = useSession();
  const { pin: mayPin } = useSlice(permissions.rooms, roomId);
  const { status, message } = useMessage(roomId, eventId);
  const attempt = (act: Promise<void>) => void act.catch(() => toast({ text: t("failed"), tone: "danger" }));
  return (
    <>
      {message ? <MessageCard roomId={roomId} message={message} /> : <MissingMessage status={status} />}
      <div className={styles.foot}>
        <Link to="/room/$roomId" params={{ roomId }} search={(search) => ({ ...search, event: eventId })}>
          {t("show")}
        </Link>
        {mayPin && (
          <span className={styles.tools}>
            <IconButton
              icon={ArrowUp}
              size="small"
              label={t("up")}
              isDisabled={isFirst}
              onPress={() => attempt(pins.move(roomId, eventId, "up"))}
            />
            <IconButton
              icon={ArrowDown}
              size="small"
              label={t("down")}
              isDisabled={isLast}
              onPress={() => attempt(pins.move(roomId, eventId, "down"))}
            />
            <IconButton
              icon={PinOff}
              size="small"
              label={t("unpin")}
              onPress={() => attempt(pins.unpin(roomId, eventId))}
            />
          </span>
        )}
      </div>
    </>
  );
}
