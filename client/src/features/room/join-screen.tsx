import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { InvitationCard } from "~/features/invites";
import { useAct } from "~/hooks/act";
import { useMediaUrl } from "~/hooks/media";
import { useRoom } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { asRoomId, type RoomId } from "~/matrix/ids";
import type { RoomPreview } from "~/matrix/membership";
import { Avatar } from "~/ui/avatar";
import { Button } from "~/ui/button";
import { Empty, Notice, Spinner } from "~/ui/marks";
import { Panel } from "~/ui/panel";
import styles from "./room.module.css";

/** A room that one is not in, or an address: what it tells of itself, and the way in. */
export function JoinScreen({ target, via }: { target: RoomId; via: readonly string[] }) {
  const { t } = useTranslation("room");
  const { membership } = useSession();
  const navigate = useNavigate();
  const known = useRoom(target);
  const isAlias = target.startsWith("#");
  const { data, status } = useQuery({
    queryKey: ["preview", target, known?.membership],
    enabled: known?.membership !== "invite",
    retry: false,
    queryFn: async () => {
      const found = isAlias ? await membership.resolve(target) : { roomId: target, via };
      const servers = found.via.length > 0 ? found.via : via;
      return { preview: await membership.preview(found.roomId, servers), via: servers };
    },
  });
  const joined = useRoom(data?.preview.roomId ?? asRoomId(""));
  // An address of a room that one is in leads there.
  const isThere = isAlias && joined?.membership === "join" ? joined.id : undefined;
  useEffect(() => {
    if (isThere) void navigate({ to: "/room/$roomId", params: { roomId: isThere }, replace: true });
  }, [isThere, navigate]);

  return (
    <Panel label={t("joinLabel")} className={styles.page}>
      {known?.membership === "invite" ? (
        <InvitationCard roomId={target} />
      ) : status === "pending" ? (
        <Spinner label={t("ui:loading")} />
      ) : status === "error" ? (
        <Empty title={known ? t("noLonger", { name: known.name }) : t("unknown")}>
          <p>{t("unknownText")}</p>
        </Empty>
      ) : (
        <Preview preview={data.preview} via={data.via} isKnocking={known?.membership === "knock"} />
      )}
    </Panel>
  );
}

function Preview({
  preview,
  via,
  isKnocking,
}: {
  preview: RoomPreview;
  via: readonly string[];
  isKnocking: boolean;
}) {
  const { t } = useTranslation("room");
  const { membership } = useSession();
  const navigate = useNavigate();
  const src = useMediaUrl(preview.avatarMxc, 72);
  const { isPending, error, run } = useAct();
  const name = preview.name ?? preview.alias ?? preview.roomId;
  const isOpen = preview.access === "public" || preview.access === "restricted";

  async function join() {
    await run(async () => {
      const roomId = await membership.join(preview.roomId, via);
      await navigate({ to: "/room/$roomId", params: { roomId } });
    });
  }

  return (
    <article className={styles.card}>
      <Avatar name={name} seed={preview.roomId} src={src} shape="place" size={72} />
      <h1>{name}</h1>
      {preview.topic && <p>{preview.topic}</p>}
      <p>{t("memberCount", { count: preview.memberCount })}</p>
      {isKnocking && <Notice>{t("knocking")}</Notice>}
      {!isOpen && preview.access !== "knock" && <Notice>{t("inviteOnly")}</Notice>}
      {error && <Notice tone="danger">{error}</Notice>}
      <div className={styles.acts}>
        {isOpen && (
          <Button kind="primary" isPending={isPending} onPress={() => void join()}>
            {preview.isSpace ? t("joinServer") : t("join")}
          </Button>
        )}
        {preview.access === "knock" && !isKnocking && (
          <Button
            kind="primary"
            isPending={isPending}
            onPress={() => void run(() => membership.knock(preview.roomId, "", via))}
          >
            {t("knock")}
          </Button>
        )}
      </div>
    </article>
  );
}
