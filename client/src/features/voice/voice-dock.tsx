import type { CurrentCall } from "~/calls/types";
import { useCurrentCall } from "~/hooks/calls";
import { useRoom } from "~/hooks/rooms";
import { useTranslation } from "~/i18n/use-translation";
import { cx } from "~/ui/cx";
import { Announcer } from "./announcer";
import { CallControls } from "./call-controls";
import { CallHints } from "./call-hints";
import { CallTop } from "./call-top";
import { EndedNotice } from "./ended-notice";
import { MeCard } from "./me-card";
import { useCallKeys } from "./use-call-keys";
import { useLeaveGuard } from "./use-leave-guard";
import styles from "./voice.module.css";

/** The panel below rail and channels: the call, if there is one, and oneself. It stays through every page. */
export function VoiceDock({ className }: { className?: string | undefined }) {
  const { t } = useTranslation("voice");
  const call = useCurrentCall();
  return (
    <>
      {call ? (
        <InCall call={call} className={className} />
      ) : (
        <section aria-label={t("dock")} className={cx(styles.dock, styles.idle, className)}>
          <MeCard />
        </section>
      )}
      <EndedNotice />
    </>
  );
}

function InCall({ call, className }: { call: CurrentCall; className: string | undefined }) {
  const { t } = useTranslation("voice");
  const room = useRoom(call.roomId);
  useCallKeys(call);
  useLeaveGuard();
  return (
    <section
      aria-label={t("dockInCall", { name: room?.name ?? "" })}
      className={cx(styles.dock, styles.live, className)}
    >
      <CallTop call={call} name={room?.name ?? ""} />
      <CallHints call={call} />
      <Announcer call={call} />
      <CallControls call={call} />
      <MeCard inCall={room?.name} />
    </section>
  );
}
