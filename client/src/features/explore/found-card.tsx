import { useNavigate } from "@tanstack/react-router";
import { useAct } from "~/hooks/act";
import { useMediaUrl } from "~/hooks/media";
import { useRoom } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { FoundRoom } from "~/matrix/hierarchy";
import { Avatar } from "~/ui/avatar";
import { Button } from "~/ui/button";
import { Chip, Notice } from "~/ui/marks";
import styles from "./explore.module.css";

/** One room of the directory. */
export function FoundCard({ room }: { room: FoundRoom }) {
  const { t } = useTranslation("explore");
  const { membership } = useSession();
  const navigate = useNavigate();
  const src = useMediaUrl(room.avatarMxc, 44);
  const isJoined = useRoom(room.id)?.membership === "join";
  const { isPending, error, run } = useAct();
  const asks = room.access === "knock";

  async function enter() {
    await run(async () => {
      if (asks && !isJoined) return membership.knock(room.id, "", room.via);
      const roomId = isJoined ? room.id : await membership.join(room.id, room.via);
      await navigate({ to: "/room/$roomId", params: { roomId } });
    });
  }

  return (
    <article className={styles.card} aria-label={room.name}>
      <div className={styles.top}>
        <Avatar name={room.name} seed={room.id} src={src} shape="place" size={44} />
        <div className={styles.names}>
          <h2>{room.name}</h2>
          {room.alias && <span>{room.alias}</span>}
        </div>
      </div>
      {room.topic && <p className={styles.topic}>{room.topic}</p>}
      {error && <Notice tone="danger">{error}</Notice>}
      <div className={styles.foot}>
        <Chip tone={room.kind === "space" ? "echo" : "neutral"}>{t(`kinds.${room.kind}`)}</Chip>
        <span className="num">{t("members", { count: room.memberCount })}</span>
        <Button kind={isJoined ? "plain" : "primary"} isPending={isPending} onPress={() => void enter()}>
          {isJoined ? t("open") : asks ? t("ask") : t("join")}
        </Button>
      </div>
    </article>
  );
}
