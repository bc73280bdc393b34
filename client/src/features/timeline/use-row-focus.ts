import { type KeyboardEvent, type RefObject, useCallback, useEffect, useRef, useState } from "react";
import type { TimelineItem } from "~/matrix/timeline";
import type { VirtualLogHandle } from "./virtual-log";

/** Moves the focus from message to message; the one that has it stays in the document wherever one scrolls. */
export function useRowFocus(items: readonly TimelineItem[], log: RefObject<VirtualLogHandle | null>) {
  const [focusedKey, setFocusedKey] = useState<string>();
  const wanted = useRef<{ key: string; log: HTMLElement }>(undefined);

  // The row may exist only now that it is kept.
  useEffect(() => {
    const target = wanted.current;
    if (!target || target.key !== focusedKey) return;
    wanted.current = undefined;
    log.current?.toKey(target.key, "nearest");
    rowOf(target.log, target.key)?.focus({ preventScroll: true });
  });

  const onKeyDown = useCallback(
    (event: KeyboardEvent<HTMLElement>) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const row = event.target instanceof HTMLElement ? event.target : undefined;
      const current = row?.dataset.key;
      if (row !== event.currentTarget && current === undefined) return;
      const next = nextKey(
        items.flatMap((item) => (item.kind === "message" ? [item.key] : [])),
        current,
        event.key,
      );
      if (next === undefined) return;
      event.preventDefault();
      wanted.current = { key: next, log: event.currentTarget };
      setFocusedKey(next);
    },
    [items],
  );
  return { focusedKey, onKeyDown };
}

function rowOf(log: HTMLElement, key: string): HTMLElement | undefined {
  return [...log.querySelectorAll<HTMLElement>("article[data-key]")].find((row) => row.dataset.key === key);
}

/** The message that a key leads to; from the log itself, the last one. */
export function nextKey(
  keys: readonly string[],
  current: string | undefined,
  pressed: string,
): string | undefined {
  const at = current === undefined ? keys.length : keys.indexOf(current);
  switch (pressed) {
    case "ArrowUp":
    case "k":
    case "K":
      return keys[Math.max(0, at - 1)];
    case "ArrowDown":
    case "j":
    case "J":
      return keys[Math.min(keys.length - 1, at + 1)];
    case "Home":
      return current === undefined ? undefined : keys[0];
    case "End":
      return current === undefined ? undefined : keys.at(-1);
    default:
      return undefined;
  }
}
