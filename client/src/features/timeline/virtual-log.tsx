import {
  type KeyboardEvent,
  memo,
  type ReactNode,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { flushSync } from "react-dom";
import { LogView } from "./log-view";
import type { Keyed, Span } from "./row-heights";
import styles from "./virtual-log.module.css";

export interface VirtualLogHandle {
  toEnd: () => void;
  toKey: (key: string, align: "center" | "nearest") => void;
  focus: () => void;
}

interface VirtualLogProps<T extends Keyed> {
  ref?: Ref<VirtualLogHandle>;
  items: readonly T[];
  children: (item: T) => ReactNode;
  label: string;
  /** Stands above the first row. */
  header: ReactNode;
  /** Stays in the document wherever the reader scrolls. */
  keptKey: string | undefined;
  /** The last row is the newest there is: whoever is at the end stays there as rows come. */
  isLive: boolean;
  /** The reader is near an end, by scrolling or because the rows have changed; told again whenever this function is another. */
  onNear: (end: "start" | "end", isScrolled: boolean) => void;
  onAtEnd: (isAtEnd: boolean) => void;
  onKeyDown?: (event: KeyboardEvent<HTMLElement>) => void;
}

const SCREENS_AHEAD = 2;
/** Until it is known where the reader looks. */
const FIRST_ROWS = 30;
const NO_KEYS: ReadonlySet<string> = new Set();

/**
 * A log of rows of unknown height, of which only those near the screen exist. Rows that come above or below do not move what is
 * being read; those that come below are followed by who is at the end.
 */
export function VirtualLog<T extends Keyed>(props: VirtualLogProps<T>) {
  const { items, children, label, header, keptKey, isLive, onNear, onAtEnd, onKeyDown } = props;
  const log = useRef<HTMLElement>(null);
  const above = useRef<HTMLDivElement>(null);
  const below = useRef<HTMLDivElement>(null);
  const [keys, setKeys] = useState(NO_KEYS);
  const tellAtEnd = useRef(onAtEnd);
  const [view] = useState(
    () =>
      new LogView({
        onShow: (wanted, isUrgent) => {
          if (isUrgent) flushSync(() => setKeys(wanted));
          else setKeys(wanted);
        },
        onAtEnd: (isAtEnd) => tellAtEnd.current(isAtEnd),
      }),
  );
  const { from, to } = spanOf(items, keys);

  useLayoutEffect(() => {
    if (log.current && above.current && below.current) {
      return view.mount({ log: log.current, above: above.current, below: below.current });
    }
    return undefined;
  }, [view]);

  useLayoutEffect(() => {
    tellAtEnd.current = onAtEnd;
    view.commit({ rows: items, from, to, isLive });
  });

  const look = useCallback(
    (isScrolled: boolean) => {
      const { above, below, screen } = view.distances();
      if (above < screen * SCREENS_AHEAD) onNear("start", isScrolled);
      if (below < screen * SCREENS_AHEAD) onNear("end", isScrolled);
    },
    [view, onNear],
  );

  useEffect(() => {
    if (items.length > 0) look(false);
  }, [items, look]);

  useImperativeHandle(
    props.ref,
    () => ({
      toEnd: () => view.toEnd(),
      toKey: (key, align) => view.toKey(key, align),
      focus: () => log.current?.focus(),
    }),
    [view],
  );

  const kept = items.findIndex(({ key }) => key === keptKey);
  const keptItem = kept < from || kept >= to ? items[kept] : undefined;
  const shown = items.slice(from, to);
  if (keptItem) shown.splice(kept < from ? 0 : shown.length, 0, keptItem);
  return (
    <section
      ref={log}
      role="log"
      aria-label={label}
      aria-live="off"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard.
      tabIndex={0}
      className={styles.log}
      onKeyDown={onKeyDown}
      onScroll={() => {
        view.scrolled();
        look(true);
      }}
    >
      <div className={styles.rows}>
        {header}
        <div ref={above} />
        {shown.map((item) => (
          <Row key={item.key} item={item} view={view} isAside={item === keptItem}>
            {children as (item: Keyed) => ReactNode}
          </Row>
        ))}
        <div ref={below} />
      </div>
    </section>
  );
}

interface RowProps {
  item: Keyed;
  view: LogView;
  /** It is in the document, but not where it belongs: it takes up no space. */
  isAside: boolean;
  children: (item: Keyed) => ReactNode;
}

const Row = memo(function Row({ item, view, isAside, children }: RowProps) {
  const { key } = item;
  const mount = useCallback(
    (element: HTMLDivElement | null) => (element ? view.mountRow(key, element) : undefined),
    [view, key],
  );
  return (
    <div ref={mount} className={isAside ? styles.aside : styles.row}>
      {children(item)}
    </div>
  );
});

/** Where the rows with these keys, and those between them, are now. */
function spanOf(items: readonly Keyed[], keys: ReadonlySet<string>): Span {
  const from = items.findIndex(({ key }) => keys.has(key));
  if (from < 0) return { from: Math.max(0, items.length - FIRST_ROWS), to: items.length };
  return { from, to: items.findLastIndex(({ key }) => keys.has(key)) + 1 };
}
