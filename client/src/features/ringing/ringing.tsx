import { useNavigate } from "@tanstack/react-router";
import { Phone, PhoneOff, Video } from "lucide-react";
import { useEffect } from "react";
import type { Ring } from "~/calls/types";
import { useJoinVoice } from "~/features/voice";
import { useCallSettings } from "~/hooks/calls";
import { useMediaUrl } from "~/hooks/media";
import { useMember, useRoom } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { Avatar } from "~/ui/avatar";
import { Button } from "~/ui/button";
import { toast } from "~/ui/toast";
import { startRinging } from "./ring-sound";
import styles from "./ringing.module.css";

/** Calls that come in, and what became of the one that goes out. */
export function Ringing() {
  const { ring } = useSlice(useSession().calls.ringing.incoming, "incoming");
  return (
    <>
      {ring && <Incoming key={ring.eventId} ring={ring} />}
      <Outcome />
    </>
  );
}

function Incoming({ ring }: { ring: Ring }) {
  const { t } = useTranslation("ringing");
  const { ringing } = useSession().calls;
  const { join } = useJoinVoice();
  const navigate = useNavigate();
  const room = useRoom(ring.roomId);
  const { name, avatarMxc } = useMember(ring.roomId, ring.from);
  const src = useMediaUrl(avatarMxc, 52);
  const sounds = useCallSettings((settings) => settings.ringSound);
  useEffect(() => (sounds ? startRinging() : undefined), [sounds]);
  const accept = (withCamera: boolean) => {
    ringing.drop(ring.eventId);
    void navigate({ to: "/room/$roomId", params: { roomId: ring.roomId } });
    void join(ring.roomId, { withCamera });
  };
  const decline = () => {
    ringing.decline(ring).catch(() => toast({ text: t("declineFailed"), tone: "danger" }));
  };
  return (
    <div role="alertdialog" aria-labelledby="ring-title" className={styles.ring}>
      <span className={styles.pulse}>
        <Avatar name={name} seed={ring.from} src={src} size={52} />
      </span>
      <div className={styles.text}>
        <b id="ring-title">{t(ring.hasVideo ? "isVideoCalling" : "isCalling", { name })}</b>
        <span>{room?.kind === "direct" ? t("directly") : room?.name}</span>
      </div>
      <div className={styles.answers}>
        <Button kind="danger" icon={PhoneOff} onPress={decline}>
          {t("decline")}
        </Button>
        {ring.hasVideo && (
          <Button icon={Phone} onPress={() => accept(false)}>
            {t("acceptVoice")}
          </Button>
        )}
        <Button kind="primary" icon={ring.hasVideo ? Video : Phone} onPress={() => accept(ring.hasVideo)}>
          {t("accept")}
        </Button>
      </div>
    </div>
  );
}

/** Says once what became of a call that nobody took. */
function Outcome() {
  const { t } = useTranslation("ringing");
  const { calling } = useSlice(useSession().calls.ringing.outgoing, "outgoing");
  const state = calling?.state;
  useEffect(() => {
    if (state === "declined") toast({ text: t("declined") });
    if (state === "unanswered") toast({ text: t("unanswered") });
  }, [state, t]);
  return null;
}
