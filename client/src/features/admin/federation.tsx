import { useTranslation } from "~/i18n/use-translation";
import { part } from "~/matrix/own-api";
import { Button } from "~/ui/button";
import { Chip } from "~/ui/marks";
import { Reason } from "~/ui/reason";
import type { Column } from "~/ui/table";
import { toast } from "~/ui/toast";
import styles from "./admin.module.css";
import { FilterField } from "./filter-field";
import { useFormat } from "./format";
import { ListPage } from "./list-page";
import { Drawer, Facts, Waiting } from "./parts";
import { useAdmin, useAdminList, useAdminSend } from "./queries";
import { Destination, DestinationTest, Done, pageOf } from "./schemas";
import { useFilters } from "./search";

const TONES = { ok: "echo", waiting: "ember", unreachable: "live", refused: "live" } as const;

export function FederationPage() {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const { q, item, set } = useFilters();
  const { list, rows } = useAdminList(pageOf(Destination), "federation/destinations", { search: q });
  const columns: Column<Destination>[] = [
    { id: "server", title: t("partner.server"), cell: ({ server }) => server },
    { id: "state", title: t("partner.state"), cell: ({ state }) => <PartnerState state={state} /> },
    {
      id: "queue",
      title: t("partner.queue"),
      isNumber: true,
      cell: ({ queued_pdus, queued_edus }) => format.count((queued_pdus ?? 0) + (queued_edus ?? 0)),
    },
    {
      id: "last",
      title: t("partner.last"),
      isExtra: true,
      cell: ({ last_success_ts }) => format.ago(last_success_ts),
    },
    { id: "failure", title: t("partner.failure"), isExtra: true, cell: ({ failure }) => failure ?? "–" },
  ];
  return (
    <ListPage
      title={t("page.federation")}
      text={t("partner.lead")}
      filters={<FilterField label={t("partner.search")} />}
      list={list}
      rows={rows}
      columns={columns}
      idOf={({ server }) => server}
      emptyTitle={t("partner.none")}
      onOpen={(server) => set({ item: server })}
      openId={item}
      drawer={item && <PartnerDrawer key={item} server={item} onClose={() => set({ item: undefined })} />}
    />
  );
}

function PartnerState({ state }: { state: string }) {
  const { t } = useTranslation("admin");
  const tone = Object.entries(TONES).find(([name]) => name === state)?.[1] ?? "neutral";
  return <Chip tone={tone}>{t(`partnerState.${state}`, { defaultValue: state })}</Chip>;
}

function PartnerDrawer({ server, onClose }: { server: string; onClose: () => void }) {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const send = useAdminSend();
  const path = `federation/destinations/${part(server)}`;
  const partner = useAdmin(Destination, path);
  const details = partner.data;

  async function attempt(what: () => Promise<string>) {
    try {
      toast({ text: await what() });
    } catch (error) {
      toast({ tone: "danger", text: error instanceof Error ? error.message : String(error) });
    }
  }
  const retry = () =>
    attempt(async () => {
      await send(Done, "POST", `${path}/retry`);
      return t("partner.retried", { server });
    });
  const test = () =>
    attempt(async () => {
      const { ok, elapsed_ms, detail, version } = await send(DestinationTest, "POST", `${path}/test`);
      if (!ok) return t("partner.testFailed", { server, detail: detail ?? "" });
      return t("partner.testOk", { server, ms: format.count(elapsed_ms), version: version ?? "" });
    });

  return (
    <Drawer title={server} onClose={onClose}>
      <div className={styles.actions}>
        <Button onPress={() => void test()}>{t("partner.test")}</Button>
        <Button onPress={() => void retry()}>{t("partner.retry")}</Button>
      </div>
      <Waiting query={partner}>
        {details && (
          <>
            <PartnerState state={details.state} />
            <Facts
              facts={[
                [t("partner.pdus"), format.count(details.queued_pdus)],
                [t("partner.edus"), format.count(details.queued_edus)],
                [t("partner.last"), format.time(details.last_success_ts)],
                [t("partner.since"), format.time(details.failing_since_ts)],
                [t("partner.next"), format.time(details.next_try_ts)],
                [t("partner.failure"), <Reason key="failure" said={details.failure ?? "–"} />],
              ]}
            />
          </>
        )}
      </Waiting>
    </Drawer>
  );
}
