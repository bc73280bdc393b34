import { RefreshCw, ShieldCheck } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Chip, Notice } from "~/ui/marks";
import { Reason } from "~/ui/reason";
import { act, withReason } from "./act";
import styles from "./admin.module.css";
import { type Stop, Sync } from "./directory-schemas";
import { pathOf, titleOf } from "./domains";
import { useFormat } from "./format";
import { Stat } from "./parts";
import { useAdminSend } from "./queries";

const TONES = { done: "echo", failed: "live", stopped: "ember" } as const;

interface SyncCardProps {
  /** Empty for the main one. */
  domain: string;
  sync: Sync;
  stops: readonly Stop[];
}

/** How the accounts are kept in step: the last run, running one now, and letting through one that looks like a mistake. */
export function SyncCard({ domain, sync, stops }: SyncCardProps) {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const { last } = sync;
  // Rounded up: nothing takes no time.
  const seconds = last ? Math.ceil((last.ended_ts - last.started_ts) / 100) / 10 : 0;
  const outcome = stops.length > 0 ? "stopped" : last?.outcome;
  return (
    <section className={styles.card} aria-label={titleOf(t("sync.title"), domain)}>
      <header className={styles.cardHead}>
        <h3>{titleOf(t("sync.title"), domain)}</h3>
        {sync.is_running ? (
          <Chip tone="partner">{t("sync.running")}</Chip>
        ) : (
          outcome && <Chip tone={TONES[outcome]}>{t(`sync.${outcome}`)}</Chip>
        )}
        <small>
          {sync.feed && `${t("sync.fed")} `}
          {t(sync.is_told ? "sync.told" : "sync.asked")}
        </small>
        <RunNow domain={domain} isRunning={sync.is_running} />
      </header>
      {sync.feed?.is_connected === false && (
        <Notice tone="danger">
          {sync.feed.last_heard_ts == null
            ? t("sync.neverHeard")
            : t("sync.unheard", { time: format.time(sync.feed.last_heard_ts) })}
        </Notice>
      )}
      {last?.outcome === "failed" && (
        <Notice tone="danger">
          <p>{t("sync.failedBecause")}</p>
          <Reason said={last.reason ?? "–"} />
        </Notice>
      )}
      <Stopped domain={domain} sync={sync} stops={stops} />
      {last ? (
        <>
          <p className={styles.lead}>
            {t("sync.when", { time: format.time(last.ended_ts), seconds: format.short(seconds) })}
          </p>
          <dl className={styles.stats}>
            <Stat label={t("sync.people")} value={format.count(last.people)} />
            <Stat label={t("sync.groups")} value={format.count(last.groups)} />
            <Stat label={t("sync.created")} value={format.count(last.created)} />
            <Stat label={t("sync.updated")} value={format.count(last.updated)} />
            <Stat label={t("sync.locked")} value={format.count(last.locked)} />
            <Stat label={t("sync.unlocked")} value={format.count(last.unlocked)} />
            <Stat label={t("sync.troubles")} value={format.count(last.troubles)} />
          </dl>
        </>
      ) : (
        <p>{t("sync.never")}</p>
      )}
    </section>
  );
}

function RunNow({ domain, isRunning }: { domain: string; isRunning: boolean }) {
  const { t } = useTranslation("admin");
  const send = useAdminSend();
  const [isPending, setPending] = useState(false);
  const [failure, setFailure] = useState<string>();

  async function run() {
    setPending(true);
    setFailure(undefined);
    await send(Sync, "POST", pathOf("sync", domain)).catch((error: unknown) =>
      setFailure(error instanceof Error ? error.message : String(error)),
    );
    setPending(false);
  }

  return (
    <>
      <Button icon={RefreshCw} isPending={isPending || isRunning} onPress={() => void run()}>
        {t("sync.now")}
      </Button>
      {failure && <Notice tone="danger">{failure}</Notice>}
    </>
  );
}

/** What was held back because so many people would be affected, and the way to let it through once. */
function Stopped({ domain, sync, stops }: SyncCardProps) {
  const { t } = useTranslation("admin");
  const send = useAdminSend();
  const isStopped = sync.last?.outcome === "stopped";
  if (!isStopped && stops.length === 0) return null;
  const approve = () =>
    act({
      title: t("sync.approve.title"),
      text: t("sync.approve.text"),
      action: t("sync.approve.action"),
      isDangerous: true,
      run: async ({ reason }) => {
        const { last } = await send(Sync, "POST", pathOf("approve", domain), withReason(reason));
        return t(last?.outcome === "done" ? "sync.approve.done" : "sync.approve.notDone");
      },
    });
  return (
    <Notice tone="ember">
      <div className={styles.held}>
        {isStopped && (
          <p>{t("sync.wouldLock", { count: sync.last?.locks ?? 0, max: sync.last?.locks_max ?? 0 })}</p>
        )}
        {stops.map(({ room, removals, mirrored }) => (
          <p key={room ?? ""}>
            {room == null
              ? t("sync.wouldDemote", { count: removals, of: mirrored })
              : t("sync.wouldRemove", { count: removals, of: mirrored, room })}
          </p>
        ))}
        <p>{t("sync.stoppedHint")}</p>
        <Button icon={ShieldCheck} onPress={approve}>
          {t("sync.approve.action")}
        </Button>
      </div>
    </Notice>
  );
}
