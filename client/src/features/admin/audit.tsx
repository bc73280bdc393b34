import { Download } from "lucide-react";
import { useTranslation } from "~/i18n/use-translation";
import { Button } from "~/ui/button";
import { Menu } from "~/ui/menu";
import type { Column } from "~/ui/table";
import { saveFile, toCsv } from "./export";
import { FilterField } from "./filter-field";
import { useFormat } from "./format";
import { ListPage } from "./list-page";
import { useAdminList } from "./queries";
import { AuditEntry, pageOf } from "./schemas";
import { useFilters } from "./search";

export function AuditPage() {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const { q } = useFilters();
  // An administrator's ID, else what was done, else to whom: by the look of the word.
  const query = q?.startsWith("@") ? { administrator: q } : { action: q };
  const { list, rows } = useAdminList(pageOf(AuditEntry), "audit", query);
  const columns: Column<AuditEntry>[] = [
    { id: "at", title: t("audit.at"), cell: ({ at_ts }) => format.time(at_ts) },
    { id: "who", title: t("audit.who"), cell: ({ administrator }) => administrator },
    { id: "what", title: t("audit.what"), cell: ({ action }) => <code>{action}</code> },
    { id: "target", title: t("audit.target"), cell: ({ target }) => target ?? "–" },
    { id: "reason", title: t("audit.reason"), isExtra: true, cell: ({ reason }) => reason || "–" },
  ];
  const name = `audit-${new Date().toISOString().slice(0, 10)}`;
  const tools = (
    <Menu
      label={t("audit.export")}
      entries={[
        { id: "csv", label: "CSV", onAction: () => saveFile(`${name}.csv`, "text/csv", toCsv(rows)) },
        {
          id: "json",
          label: "JSON",
          onAction: () => saveFile(`${name}.json`, "application/json", JSON.stringify(rows, null, 2)),
        },
      ]}
    >
      <Button icon={Download}>{t("audit.export")}</Button>
    </Menu>
  );
  return (
    <ListPage
      title={t("page.audit")}
      text={t("audit.lead")}
      tools={tools}
      filters={<FilterField label={t("audit.search")} />}
      list={list}
      rows={rows}
      columns={columns}
      idOf={({ id }) => String(id)}
      emptyTitle={t("audit.none")}
    />
  );
}
