import { CornerUpLeft, Pencil, X } from "lucide-react";
import { useMember } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { asEventId, asUserId, type RoomId } from "~/matrix/ids";
import { IconButton } from "~/ui/button";
import styles from "./composer.module.css";

/** Above the text: which message is answered. */
export function ReplyBar({
  roomId,
  eventId,
  onClose,
}: {
  roomId: RoomId;
  eventId: string;
  onClose: () => void;
}) {
  const { t } = useTranslation("composer");
  const quoted = useSession().sender.quoted(roomId, asEventId(eventId));
  const { name } = useMember(roomId, quoted?.sender ?? asUserId(""));
  return (
    <div className={styles.bar}>
      <CornerUpLeft size={15} strokeWidth={1.9} aria-hidden />
      <span className={styles.barText}>
        {quoted ? (
          <>
            {t("replyTo")} <b>{name}</b> {quoted.body}
          </>
        ) : (
          t("replyToMessage")
        )}
      </span>
      <IconButton icon={X} label={t("cancelReply")} size="small" onPress={onClose} />
    </div>
  );
}

/** Above the text: a message of one's own is being changed. */
export function EditBar({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("composer");
  return (
    <div className={styles.bar}>
      <Pencil size={15} strokeWidth={1.9} aria-hidden />
      <span className={styles.barText}>{t("editing")}</span>
      <IconButton icon={X} label={t("cancelEdit")} size="small" onPress={onClose} />
    </div>
  );
}
