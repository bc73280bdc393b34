import { useNavigate } from "@tanstack/react-router";
import { Ban } from "lucide-react";
import { useAct } from "~/hooks/act";
import { useMediaUrl } from "~/hooks/media";
import { useRoom } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import { Avatar } from "~/ui/avatar";
import { Button, IconButton } from "~/ui/button";
import { Notice, PartnerChip } from "~/ui/marks";
import styles from "./invites.module.css";

/** An invitation: who, of which company, to what; accept, decline, or never hear of them again. */
export function InvitationCard({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("invites");
  const navigate = useNavigate();
  const { membership } = useSession();
  const room = useRoom(roomId);
  const invitation = membership.invitation(roomId);
  const src = useMediaUrl(invitation?.inviterAvatarMxc, 40);
  const { isPending, error, run } = useAct();
  if (!invitation || !room) return null;
  const { name, inviterName, isDirect, isSpace, partnerServer } = invitation;
  const sentence = isDirect ? "toDirect" : isSpace ? "toServer" : "toChannel";

  async function accept() {
    const isDone = await run(() => membership.accept(roomId));
    if (isDone) await navigate({ to: "/room/$roomId", params: { roomId } });
  }

  return (
    <article aria-label={t("label", { name })} className={styles.card}>
      <Avatar
        name={inviterName}
        seed={invitation.inviter ?? roomId}
        src={src}
        isPartner={partnerServer !== undefined}
      />
      <div className={styles.words}>
        <p>
          {t(sentence, { inviter: inviterName, name })}{" "}
          {partnerServer && <PartnerChip server={partnerServer} />}
        </p>
        {invitation.inviter && <p className={styles.id}>{invitation.inviter}</p>}
        {room.topic && <p className={styles.topic}>{room.topic}</p>}
        {error && <Notice tone="danger">{error}</Notice>}
      </div>
      <div className={styles.acts}>
        <IconButton
          icon={Ban}
          label={t("ignore", { name: inviterName })}
          onPress={() => void run(() => membership.declineAndIgnore(roomId))}
        />
        <Button onPress={() => void run(() => membership.decline(roomId))}>{t("decline")}</Button>
        <Button kind="primary" isPending={isPending} onPress={() => void accept()}>
          {t("accept")}
        </Button>
      </div>
    </article>
  );
}
