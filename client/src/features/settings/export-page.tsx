import { useEffect, useRef, useState } from "react";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { ExportedFile, ExportFormat, ExportProgress } from "~/matrix/data-export";
import type { RoomId } from "~/matrix/ids";
import { Button } from "~/ui/button";
import { Notice } from "~/ui/marks";
import { Group, Page } from "~/ui/page";
import { Segments } from "~/ui/segments";
import { Select } from "~/ui/select";
import { download } from "./download";
import styles from "./settings.module.css";

export function ExportPage() {
  const { t } = useTranslation("settings");
  const { dataExport } = useSession();
  const job = useExport();
  const everything = useExport();
  return (
    <Page title={t("page.export")} intro={t("export.intro")}>
      <Group title={t("export.account")} hint={t("export.accountHint")}>
        <Button onPress={() => job.run(() => dataExport.account())}>{t("export.download")}</Button>
        <Job job={job} />
      </Group>
      <RoomExport />
      <Group title={t("export.everything")} hint={t("export.everythingHint")}>
        {!everything.isRunning && (
          <Button onPress={() => everything.run((tell, signal) => dataExport.everything(tell, signal))}>
            {t("export.download")}
          </Button>
        )}
        <Job job={everything} />
      </Group>
    </Page>
  );
}

function RoomExport() {
  const { t, i18n } = useTranslation("settings");
  const { dataExport, rooms } = useSession();
  const job = useExport();
  const options = useSlice(rooms.lists, "joined")
    .map((id) => ({ id, summary: rooms.summary(id) }))
    .filter(({ summary }) => summary !== undefined && summary.kind !== "space")
    .map(({ id, summary }) => ({ id, label: summary?.name ?? "" }))
    .sort((a, b) => a.label.localeCompare(b.label));
  const [chosen, setChosen] = useState<RoomId>();
  const [format, setFormat] = useState<ExportFormat>("json");
  const roomId = chosen ?? options[0]?.id;
  return (
    <Group title={t("export.room")} hint={t("export.roomHint")}>
      {roomId === undefined ? (
        <p className={styles.muted}>{t("export.noRooms")}</p>
      ) : (
        <>
          <Select label={t("export.channel")} value={roomId} options={options} onChange={setChosen} />
          <Segments
            label={t("export.format")}
            value={format}
            options={(["json", "html"] as const).map((id) => ({ id, label: t(`export.formats.${id}`) }))}
            onChange={setFormat}
          />
          {!job.isRunning && (
            <Button
              onPress={() =>
                job.run((tell, signal) => dataExport.room(roomId, format, i18n.language, tell, signal))
              }
            >
              {t("export.download")}
            </Button>
          )}
          <Job job={job} />
        </>
      )}
    </Group>
  );
}

type Work = (tell: (progress: ExportProgress) => void, signal: AbortSignal) => Promise<ExportedFile>;
type Outcome = "none" | "done" | "cancelled" | "failed";

/** One export at a time; leaving the page ends it. */
function useExport() {
  const [progress, setProgress] = useState<ExportProgress>();
  const [outcome, setOutcome] = useState<Outcome>("none");
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  async function run(work: Work) {
    const controller = new AbortController();
    running.current = controller;
    setOutcome("none");
    setProgress({ messages: 0, rooms: 0 });
    try {
      const { name, data } = await work(setProgress, controller.signal);
      controller.signal.throwIfAborted();
      download(name, data);
      setOutcome("done");
    } catch {
      setOutcome(controller.signal.aborted ? "cancelled" : "failed");
    }
    setProgress(undefined);
  }

  return {
    progress,
    outcome,
    isRunning: progress !== undefined,
    run: (work: Work) => void run(work),
    cancel: () => running.current?.abort(),
  };
}

function Job({ job }: { job: ReturnType<typeof useExport> }) {
  const { t } = useTranslation("settings");
  const { progress, outcome } = job;
  if (progress) {
    return (
      <div className={styles.form}>
        <p role="status">{t("export.running", { count: progress.messages })}</p>
        {/* How much there is shows only at the end. */}
        <progress aria-label={t("export.progress")} className={styles.progress} />
        <div className={styles.row}>
          <Button onPress={job.cancel}>{t("cancel")}</Button>
        </div>
      </div>
    );
  }
  if (outcome === "failed") return <Notice tone="danger">{t("export.failed")}</Notice>;
  return <p role="status">{outcome === "none" ? "" : t(`export.${outcome}`)}</p>;
}
