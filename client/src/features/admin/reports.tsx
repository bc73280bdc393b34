import { useTranslation } from "~/i18n/use-translation";
import { part } from "~/matrix/own-api";
import { Button } from "~/ui/button";
import { Select } from "~/ui/select";
import type { Column } from "~/ui/table";
import { act } from "./act";
import { useFormat } from "./format";
import { ListPage } from "./list-page";
import { useAdminList, useAdminSend } from "./queries";
import { Done, pageOf, Report } from "./schemas";
import { useFilters } from "./search";

const STATES = ["open", "done"] as const;

export function ReportsPage() {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const send = useAdminSend();
  const { state, set } = useFilters();
  const shown = STATES.find((one) => one === state) ?? "open";
  const { list, rows } = useAdminList(pageOf(Report), "reports", { state: shown });
  const resolve = (report: Report) =>
    act({
      title: t("report.resolve.title"),
      text: t("report.resolve.text"),
      action: t("report.resolve.action"),
      run: async ({ reason }) => {
        await send(
          Done,
          "POST",
          `reports/${part(String(report.id))}/resolve`,
          reason ? { note: reason } : {},
        );
        return t("report.resolve.done");
      },
    });
  const columns: Column<Report>[] = [
    { id: "at", title: t("report.at"), cell: ({ reported_ts }) => format.time(reported_ts) },
    { id: "by", title: t("report.by"), cell: ({ reporter }) => reporter },
    {
      id: "what",
      title: t("report.what"),
      cell: (report) => report.user_id ?? report.event_id ?? report.room_id ?? "–",
    },
    { id: "reason", title: t("report.reason"), cell: ({ reason }) => reason || "–" },
    {
      id: "act",
      title: t("report.actions"),
      cell: (report) =>
        report.state === "open" ? (
          <Button onPress={() => resolve(report)}>{t("report.resolve.action")}</Button>
        ) : (
          t("report.isDone")
        ),
    },
  ];
  return (
    <ListPage
      title={t("page.reports")}
      text={t("report.lead")}
      tools={
        <Select
          label={t("report.state")}
          hidesLabel
          value={shown}
          options={STATES.map((id) => ({ id, label: t(`reportState.${id}`) }))}
          onChange={(next) => set({ state: next })}
        />
      }
      list={list}
      rows={rows}
      columns={columns}
      idOf={({ id }) => String(id)}
      emptyTitle={t("report.none")}
    />
  );
}
