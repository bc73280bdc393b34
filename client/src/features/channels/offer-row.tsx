import { Hash, Volume2 } from "lucide-react";
import { useAct } from "~/hooks/act";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { FoundRoom } from "~/matrix/hierarchy";
import { Button } from "~/ui/button";
import { cx } from "~/ui/cx";
import { toast } from "~/ui/toast";
import styles from "./channels.module.css";

/** A channel of the server that one is not in yet. */
export function OfferRow({ room }: { room: FoundRoom }) {
  const { t } = useTranslation("channels");
  const { membership } = useSession();
  const { isPending, run } = useAct();
  const Icon = room.kind === "voice" ? Volume2 : Hash;
  const asks = room.access === "knock";

  async function join() {
    const isDone = await run(() =>
      asks ? membership.knock(room.id, "", room.via) : membership.join(room.id, room.via),
    );
    if (isDone && asks) toast({ text: t("asked", { name: room.name }) });
    if (!isDone) toast({ text: t("joinFailed", { name: room.name }), tone: "danger" });
  }

  return (
    <div className={cx(styles.row, styles.offer)} title={room.topic}>
      <Icon size={18} strokeWidth={1.9} aria-hidden />
      <span className={styles.name}>{room.name}</span>
      <Button
        kind="quiet"
        className={styles.join}
        isPending={isPending}
        aria-label={asks ? t("askToJoin", { name: room.name }) : t("joinChannel", { name: room.name })}
        onPress={() => void join()}
      >
        {asks ? t("ask") : t("join")}
      </Button>
    </div>
  );
}
