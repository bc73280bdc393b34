import {
  type KeyboardEvent,
  type ReactNode,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import { stepsBetween } from "./shift";
import styles from "./virtual-log.module.css";

export interface VirtualLogHandle {
  toEnd: () => void;
  toKey: (key: string, align: "center" | "nearest") => void;
  /** Whether its reader sees the end. */
  isAtEnd: () => boolean;
  focus: () => void;
}

interface VirtualLogProps<T extends { readonly key: string }> {
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
  /** The reader comes near an end: time to fetch more. */
  onNear: (end: "start" | "end") => void;
  onAtEnd: (isAtEnd: boolean) => void;
  onKeyDown?: (event: KeyboardEvent<HTMLElement>) => void;
}

/** Within so many pixels one is at the end. */
const END_PX = 24;
const SCREENS_AHEAD = 2;

interface Shown<T> {
  readonly goal: readonly T[];
  readonly items: readonly T[];
  readonly shift: boolean;
  readonly next: readonly T[] | undefined;
}

/**
 * A log of rows of unknown height, of which only those near the screen exist. Rows that come above do not move what is being
 * read; rows that come below are followed only by those who are at the end.
 */
export function VirtualLog<T extends { readonly key: string }>(props: VirtualLogProps<T>) {
  const { items, children, label, header, keptKey, isLive, onNear, onAtEnd, onKeyDown } = props;
  const scroller = useRef<HTMLElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const isAtEnd = useRef(true);
  const lastAbove = useRef(0);
  const [shown, setShown] = useState<Shown<T>>({ goal: items, items, shift: false, next: undefined });
  if (shown.goal !== items) {
    const [first, second] = stepsBetween(shown.items, items);
    setShown({ goal: items, items: first.items, shift: first.shift, next: second?.items });
  }

  const toEnd = useCallback(() => {
    const element = scroller.current;
    if (element) element.scrollTop = element.scrollHeight;
  }, []);

  const look = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    const above = element.scrollTop;
    const below = element.scrollHeight - element.clientHeight - above;
    const wasAtEnd = isAtEnd.current;
    // Rows that turn out higher than thought push the end away; only going up is leaving it.
    const hasLeft = above < lastAbove.current - 1 || !isLive;
    lastAbove.current = above;
    if (below <= END_PX) isAtEnd.current = isLive;
    else if (hasLeft) isAtEnd.current = false;
    if (wasAtEnd !== isAtEnd.current) onAtEnd(isAtEnd.current);
    if (above < element.clientHeight * SCREENS_AHEAD) onNear("start");
    if (below < element.clientHeight * SCREENS_AHEAD) onNear("end");
  }, [isLive, onNear, onAtEnd]);

  // Rows came, or their heights became known: whoever was at the end still is.
  const settle = useCallback(() => {
    if (isAtEnd.current) toEnd();
  }, [toEnd]);

  useLayoutEffect(() => {
    if (shown.next) setShown({ ...shown, items: shown.next, shift: false, next: undefined });
    else settle();
  }, [shown, settle]);

  useEffect(() => {
    if (items.length > 0) look();
  }, [items, look]);

  useImperativeHandle(props.ref, () => ({
    toEnd: () => {
      isAtEnd.current = true;
      onAtEnd(true);
      toEnd();
    },
    toKey: (key, align) => {
      const index = shown.items.findIndex((item) => item.key === key);
      if (index < 0) return;
      if (align === "center") isAtEnd.current = false;
      list.current?.scrollToIndex(index + 1, { align });
    },
    isAtEnd: () => isAtEnd.current,
    focus: () => scroller.current?.focus(),
  }));

  const kept = keptKey === undefined ? -1 : shown.items.findIndex(({ key }) => key === keptKey);
  return (
    <section
      ref={scroller}
      role="log"
      aria-label={label}
      aria-live="off"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard.
      tabIndex={0}
      className={styles.log}
      onKeyDown={onKeyDown}
    >
      <div className={styles.spacer} />
      <Virtualizer
        ref={list}
        scrollRef={scroller}
        shift={shown.shift}
        bufferSize={600}
        keepMounted={kept < 0 ? [] : [kept + 1]}
        onScroll={look}
        onResize={settle}
      >
        <div key="header">{header}</div>
        {shown.items.map((item) => (
          <div key={item.key}>{children(item)}</div>
        ))}
      </Virtualizer>
    </section>
  );
}
