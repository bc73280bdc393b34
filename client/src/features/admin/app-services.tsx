import { RefreshCw } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Chip, Notice } from "~/ui/marks";
import { Reason } from "~/ui/reason";
import { type Column, Table } from "~/ui/table";
import { toast } from "~/ui/toast";
import styles from "./admin.module.css";
import { type AppService, AppServiceList, Reloaded } from "./applications-schemas";
import { useFormat } from "./format";
import { Drawer, Facts, PageHead, Waiting } from "./parts";
import { useAdmin, useAdminSend } from "./queries";
import { useFilters } from "./search";

const REFRESH_MS = 5_000;

/** The registered application services: whether each takes what concerns it, and how far behind it is. */
export function AppServices({ choice }: { choice: ReactNode }) {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const { item, set } = useFilters();
  const services = useAdmin(AppServiceList, "appservices", { everyMs: REFRESH_MS });
  const rows = services.data?.appservices ?? [];
  const open = rows.find(({ id }) => id === item);
  const columns: Column<AppService>[] = [
    { id: "id", title: t("app.service"), cell: ({ id }) => id },
    { id: "state", title: t("app.state"), cell: (service) => <ServiceState service={service} /> },
    {
      id: "lag",
      title: t("app.lag"),
      isNumber: true,
      cell: ({ lag_positions }) => format.count(lag_positions),
    },
    {
      id: "last",
      title: t("app.last"),
      isExtra: true,
      cell: ({ last_success_ts }) => format.ago(last_success_ts),
    },
    { id: "error", title: t("app.error"), isExtra: true, cell: ({ last_error }) => last_error ?? "–" },
  ];
  return (
    <>
      <PageHead title={t("page.applications")} text={t("app.lead")}>
        <Reload />
      </PageHead>
      <div className={styles.filters}>{choice}</div>
      <div className={styles.split}>
        <div className={styles.list}>
          <Waiting query={services}>
            <Table
              label={t("app.services")}
              columns={open ? columns.filter(({ isExtra }) => !isExtra) : columns}
              rows={rows}
              idOf={({ id }) => id}
              emptyTitle={t("app.noServices")}
              openId={item}
              onOpen={({ id }) => set({ item: id })}
            />
          </Waiting>
        </div>
        {open && <ServiceDrawer service={open} onClose={() => set({ item: undefined })} />}
      </div>
    </>
  );
}

function ServiceState({
  service: { url, failing_since_ts: since, lag_positions: lag },
}: {
  service: AppService;
}) {
  const { t } = useTranslation("admin");
  if (url == null) return <Chip>{t("app.silent")}</Chip>;
  if (since != null) return <Chip tone="live">{t("app.failing")}</Chip>;
  return lag > 0 ? <Chip tone="ember">{t("app.behind")}</Chip> : <Chip tone="echo">{t("app.upToDate")}</Chip>;
}

function ServiceDrawer({ service, onClose }: { service: AppService; onClose: () => void }) {
  const { t } = useTranslation("admin");
  const format = useFormat();
  return (
    <Drawer title={service.id} onClose={onClose}>
      <ServiceState service={service} />
      {service.last_error && (
        <Notice tone="danger">
          <Reason said={service.last_error} />
        </Notice>
      )}
      <Facts
        facts={[
          [t("app.url"), service.url ?? t("app.noUrl")],
          [t("app.sender"), service.sender],
          [t("app.lag"), format.count(service.lag_positions)],
          [t("app.transactions"), format.count(service.transactions)],
          [t("app.last"), format.time(service.last_success_ts)],
          [t("app.since"), format.time(service.failing_since_ts)],
          [t("app.attempts"), format.count(service.attempts)],
        ]}
      />
    </Drawer>
  );
}

/** Reads the registrations again. What is wrong with them is told at length, and then all stays as it was. */
function Reload() {
  const { t } = useTranslation("admin");
  const send = useAdminSend();
  const [isPending, setPending] = useState(false);

  async function reload() {
    setPending(true);
    try {
      const { appservices } = await send(Reloaded, "POST", "appservices/reload");
      toast({ text: t("app.reloaded", { count: appservices }) });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      toast({ tone: "danger", text: t("app.reloadRefused", { reason }) });
    }
    setPending(false);
  }

  return (
    <Button icon={RefreshCw} isPending={isPending} onPress={() => void reload()}>
      {t("app.reload")}
    </Button>
  );
}
