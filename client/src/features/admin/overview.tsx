import { useMemo } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { Chart } from "~/ui/chart";
import { Notice } from "~/ui/marks";
import { Select } from "~/ui/select";
import styles from "./admin.module.css";
import { bytes, useFormat } from "./format";
import { PageHead, Stat, Waiting } from "./parts";
import { useAdmin } from "./queries";
import { Health, Series, Server } from "./schemas";
import { useFilters } from "./search";

const REFRESH_MS = 15_000;
const RANGES = ["1h", "24h", "7d"] as const;

/** Which series stand together in one chart, by the names that the server gives them. */
const CHARTS = [
  { id: "requests", names: ["requests_per_second"] },
  { id: "latency", names: ["request_p50_ms", "request_p95_ms", "request_p99_ms"] },
  { id: "events", names: ["events_per_second"] },
  { id: "sync", names: ["sync_streams"] },
  { id: "commit", names: ["database_commit_ms"] },
  { id: "queue", names: ["federation_queue"] },
  { id: "memory", names: ["memory_bytes"] },
  { id: "calls", names: ["calls_participants"] },
] as const;

export function OverviewPage() {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const { range = "1h", set } = useFilters();
  const server = useAdmin(Server, "server", { everyMs: REFRESH_MS });
  return (
    <>
      <PageHead
        title={t("page.overview")}
        text={server.data ? `${server.data.name} · EchoRift ${server.data.version}` : ""}
      >
        <Select
          label={t("range.label")}
          hidesLabel
          value={range}
          options={RANGES.map((id) => ({ id, label: t(`range.${id}`) }))}
          onChange={(next) => set({ range: next })}
        />
      </PageHead>
      <Problems />
      <Waiting query={server}>
        {server.data && (
          <dl className={styles.stats}>
            <Stat label={t("stat.users")} value={format.count(server.data.users)} />
            <Stat label={t("stat.rooms")} value={format.count(server.data.rooms)} />
            <Stat
              label={t("stat.media")}
              value={format.bytes(server.data.local_media_bytes)}
              detail={t("stat.remoteMedia", { size: format.bytes(server.data.remote_media_bytes) })}
            />
            <Stat
              label={t("stat.running")}
              value={format.ago(server.data.started_ts)}
              detail={t(server.data.database === "postgres" ? "stat.postgres" : "stat.sqlite")}
            />
          </dl>
        )}
      </Waiting>
      <Charts range={range} />
    </>
  );
}

/** Only what somebody has to act on. */
function Problems() {
  const { t } = useTranslation("admin");
  const health = useAdmin(Health, "server/health", { everyMs: REFRESH_MS });
  const problems = health.data?.components.filter(({ state }) => state !== "ok") ?? [];
  if (health.error) return null;
  if (problems.length === 0) return health.data ? <p className={styles.well}>{t("health.well")}</p> : null;
  return problems.map(({ name, state, detail }) => (
    <Notice key={name} tone={state === "down" ? "danger" : "ember"}>
      <b>{name}</b>: {detail ?? t(`health.${state}`)}
    </Notice>
  ));
}

function Charts({ range }: { range: (typeof RANGES)[number] }) {
  const { t, i18n } = useTranslation("admin");
  const series = useAdmin(Series, "server/series", { query: { range }, everyMs: REFRESH_MS });
  const times = useMemo(() => {
    const data = series.data;
    const length = Math.max(0, ...(data?.series.map(({ values }) => values.length) ?? []));
    return Array.from({ length }, (_, index) => (data?.from_ts ?? 0) + index * (data?.step_ms ?? 0));
  }, [series.data]);
  const formats = useMemo(() => {
    const short = new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 });
    return {
      bytes: (value: number) => bytes(value, i18n.language),
      ms: (value: number) => `${short.format(value)} ms`,
      plain: (value: number) => short.format(value),
    };
  }, [i18n.language]);
  return (
    <Waiting query={series}>
      <div className={styles.charts}>
        {CHARTS.map(({ id, names }) => {
          const drawn = names.flatMap((name) => {
            const found = series.data?.series.find((one) => one.name === name);
            return found ? [{ name: t(`series.${name}`), values: found.values }] : [];
          });
          if (drawn.length === 0) return null;
          const unit = names[0].endsWith("_bytes") ? "bytes" : names[0].endsWith("_ms") ? "ms" : "plain";
          return (
            <Chart key={id} title={t(`chart.${id}`)} times={times} series={drawn} format={formats[unit]} />
          );
        })}
      </div>
    </Waiting>
  );
}
