import type { ReactNode } from "react";
import { type Column, Table } from "~/ui/table";
import styles from "./admin.module.css";
import { More, PageHead, Waiting } from "./parts";
import type { useAdminList } from "./queries";

interface ListPageProps<Row> {
  title: string;
  text?: string;
  /** What one can do on this page, beside its name. */
  tools?: ReactNode;
  filters?: ReactNode;
  list: ReturnType<typeof useAdminList>["list"];
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  idOf: (row: Row) => string;
  emptyTitle: string;
  /** Called with the ID of a row that is opened; rows of pages without it cannot be. */
  onOpen?: (id: string) => void;
  openId?: string | undefined;
  /** What is known of the open row, beside the list. */
  drawer?: ReactNode;
}

/** A page that is a list: its head, its filters, its table page by page, and beside it the row that is open. */
export function ListPage<Row>({
  title,
  text,
  tools,
  filters,
  list,
  rows,
  columns,
  idOf,
  emptyTitle,
  onOpen,
  openId,
  drawer,
}: ListPageProps<Row>) {
  return (
    <>
      <PageHead title={title} {...(text === undefined ? {} : { text })}>
        {tools}
      </PageHead>
      {filters && <div className={styles.filters}>{filters}</div>}
      <div className={styles.split}>
        <div className={styles.list}>
          <Waiting query={list}>
            <Table
              label={title}
              columns={drawer ? columns.filter(({ isExtra }) => !isExtra) : columns}
              rows={rows}
              idOf={idOf}
              openId={openId}
              {...(onOpen ? { onOpen: (row: Row) => onOpen(idOf(row)) } : {})}
              emptyTitle={emptyTitle}
            />
            <More list={list} />
          </Waiting>
        </div>
        {drawer}
      </div>
    </>
  );
}
