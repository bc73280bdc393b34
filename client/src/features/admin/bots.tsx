import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "~/i18n/use-translation";
import type { Column } from "~/ui/table";
import styles from "./admin.module.css";
import { AdminBot } from "./applications-schemas";
import { useFormat } from "./format";
import { ListPage } from "./list-page";
import { useAdminList } from "./queries";
import { pageOf } from "./schemas";

/** All bots of this server and who answers for each. They are locked and ended as any other account. */
export function Bots({ choice }: { choice: ReactNode }) {
  const { t } = useTranslation("admin");
  const format = useFormat();
  const { list, rows } = useAdminList(pageOf(AdminBot), "bots");
  const columns: Column<AdminBot>[] = [
    {
      id: "name",
      title: t("bot.name"),
      cell: ({ user_id, displayname }) => (
        <span className={styles.whoText}>
          <AccountLink userId={user_id}>{displayname || user_id}</AccountLink>
          {displayname && <small>{user_id}</small>}
        </span>
      ),
    },
    {
      id: "owner",
      title: t("bot.owner"),
      cell: ({ owner }) => <AccountLink userId={owner}>{owner}</AccountLink>,
    },
    { id: "made", title: t("bot.made"), isExtra: true, cell: ({ created_ts }) => format.time(created_ts) },
  ];
  return (
    <ListPage
      title={t("page.applications")}
      text={t("bot.lead")}
      filters={choice}
      list={list}
      rows={rows}
      columns={columns}
      idOf={({ user_id }) => user_id}
      emptyTitle={t("bot.none")}
    />
  );
}

function AccountLink({ userId, children }: { userId: string; children: ReactNode }) {
  return (
    <Link to="/admin/$page" params={{ page: "users" }} search={{ item: userId, q: userId }}>
      {children}
    </Link>
  );
}
