import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { RoomId, UserId } from "~/matrix/ids";
import { IconButton } from "~/ui/button";
import styles from "./profile.module.css";
import { ProfileCard } from "./profile-card";

/** A profile beside the channel, for links to it and for phones. */
export function ProfilePanel({
  roomId,
  userId,
  onClose,
}: {
  roomId: RoomId;
  userId: UserId;
  onClose?: () => void;
}) {
  const { t } = useTranslation("profile");
  return (
    <section aria-label={t("card")} className={styles.panel}>
      {onClose && (
        <IconButton icon={X} label={t("close")} size="small" className={styles.close} onPress={onClose} />
      )}
      <ProfileCard roomId={roomId} userId={userId} />
    </section>
  );
}
