import { ShieldAlert } from "lucide-react";
import { useState } from "react";
import { useMember } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId, UserId } from "~/matrix/ids";
import { Button } from "~/ui/button";
import styles from "./encryption.module.css";
import { useRoomTrust } from "./use-encryption";

/** Says above a conversation whose keys are others than before, until somebody goes on with them. */
export function IdentityLine({ roomId }: { roomId: RoomId }) {
  const { changed } = useRoomTrust(roomId);
  const [userId] = changed;
  return userId ? <Line roomId={roomId} userId={userId} /> : null;
}

function Line({ roomId, userId }: { roomId: RoomId; userId: UserId }) {
  const { t } = useTranslation("encryption");
  const { encryption } = useSession();
  const { name } = useMember(roomId, userId);
  const [isPending, setPending] = useState(false);

  function goOn() {
    setPending(true);
    encryption
      .accept(roomId, [userId])
      .catch(() => {})
      .finally(() => setPending(false));
  }

  return (
    <div role="status" className={styles.identity}>
      <ShieldAlert size={18} strokeWidth={1.9} aria-hidden />
      <span className={styles.promptText}>{t("identity.changed", { name })}</span>
      <Button isPending={isPending} onPress={goOn}>
        {t("identity.goOn")}
      </Button>
    </div>
  );
}
