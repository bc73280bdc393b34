import { ArrowDown, ArrowUp } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { cx } from "./cx";
import { Empty } from "./marks";
import styles from "./table.module.css";

export interface Column<Row> {
  id: string;
  title: string;
  /** Numbers stand right and under each other. */
  isNumber?: boolean;
  /** Left out where the window is narrow: what the drawer shows, too. */
  isExtra?: boolean;
  cell: (row: Row) => ReactNode;
}

interface TableProps<Row> {
  /** What the rows are, for screen readers. */
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  idOf: (row: Row) => string;
  /** The words of the button that opens a row; the first column becomes that button. */
  onOpen?: (row: Row) => void;
  openId?: string | undefined;
  sort?: { column: string; isDescending: boolean };
  onSort?: (column: string) => void;
  sortable?: readonly string[];
  emptyTitle: string;
}

/** Rows of equal things, read row by row and column by column; a real `<table>`. */
export function Table<Row>(props: TableProps<Row>) {
  const { label, columns, rows, idOf, onOpen, openId, sort, onSort, sortable = [], emptyTitle } = props;
  const { t } = useTranslation("ui");
  if (rows.length === 0) return <Empty title={emptyTitle} />;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard.
    <section className={styles.scroller} aria-label={label} tabIndex={0}>
      <table className={styles.table} aria-label={label}>
        <thead>
          <tr>
            {columns.map(({ id, title, isNumber, isExtra }) => {
              const isSorted = sort?.column === id;
              const Arrow = sort?.isDescending ? ArrowDown : ArrowUp;
              return (
                <th
                  key={id}
                  scope="col"
                  aria-sort={isSorted ? (sort.isDescending ? "descending" : "ascending") : undefined}
                  className={cx(isNumber && styles.number, isExtra && styles.extra)}
                >
                  {sortable.includes(id) && onSort ? (
                    <button
                      type="button"
                      className={styles.sort}
                      onClick={() => onSort(id)}
                      aria-label={t("sortBy", { column: title })}
                    >
                      {title}
                      {isSorted && <Arrow size={13} aria-hidden />}
                    </button>
                  ) : (
                    title
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={idOf(row)} className={cx(openId === idOf(row) && styles.open)}>
              {columns.map(({ id, isNumber, isExtra, cell }, index) => (
                <td key={id} className={cx(isNumber && styles.number, isExtra && styles.extra)}>
                  {index === 0 && onOpen ? (
                    <button type="button" className={styles.opener} onClick={() => onOpen(row)}>
                      {cell(row)}
                    </button>
                  ) : (
                    cell(row)
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
