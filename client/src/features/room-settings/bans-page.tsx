import { useEffect } from "react";
import { VList } from "virtua";
import { useAct } from "~/hooks/act";
import { useMediaUrl } from "~/hooks/media";
import { useMemberActions } from "~/hooks/people";
import { useSession, useSlice } from "~/hooks/session";
import { useTimes } from "~/hooks/times";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { Banned } from "~/matrix/members";
import { Avatar } from "~/ui/avatar";
import { Button } from "~/ui/button";
import { Notice, PartnerChip } from "~/ui/marks";
import { toast } from "~/ui/toast";
import styles from "./room-settings.module.css";

const ROW_HEIGHT = 68;
const ROWS_SHOWN_MAX = 7;

/** Who is banned, by whom and why, and the way back. */
export function BansPage({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("room-settings");
  const { members } = useSession();
  const banned = useSlice(members.banned, roomId);
  useEffect(() => {
    void members.load(roomId).catch(() => {});
  }, [members, roomId]);
  if (banned.length === 0) return <p>{t("nobodyBanned")}</p>;
  return (
    <section aria-label={t("page.bans")} className={styles.section}>
      <p>{t("bansText", { count: banned.length })}</p>
      <VList style={{ height: Math.min(banned.length, ROWS_SHOWN_MAX) * ROW_HEIGHT }}>
        {banned.map((one) => (
          <BannedRow key={one.userId} roomId={roomId} banned={one} />
        ))}
      </VList>
    </section>
  );
}

function BannedRow({ roomId, banned }: { roomId: RoomId; banned: Banned }) {
  const { t } = useTranslation("room-settings");
  const { moderation } = useSession();
  const { userId, name, byName, reason, ts, partnerServer } = banned;
  const { canUnban } = useMemberActions(roomId, userId);
  const src = useMediaUrl(banned.avatarMxc, 32);
  const times = useTimes();
  const { isPending, error, run } = useAct();

  async function unban() {
    const isDone = await run(() => moderation.unban(roomId, userId));
    if (isDone) toast({ text: t("unbanned", { name }) });
  }

  return (
    <article aria-label={name} className={styles.banned}>
      <Avatar name={name} seed={userId} src={src} size={32} />
      <div className={styles.bannedWords}>
        <p className={styles.memberName}>
          {name} {partnerServer && <PartnerChip server={partnerServer} />}
        </p>
        <p className={styles.small}>{t("bannedBy", { name: byName, time: times.since(ts) })}</p>
        {reason && <p className={styles.bannedWhy}>{t("bannedWhy", { reason })}</p>}
        {error && <Notice tone="danger">{error}</Notice>}
      </div>
      {canUnban && (
        <Button isPending={isPending} aria-label={t("unbanWho", { name })} onPress={() => void unban()}>
          {t("unban")}
        </Button>
      )}
    </article>
  );
}
