import { useEffect, useLayoutEffect, useRef } from "react";

/** What closes each window that is open, the topmost last. */
const open: (() => void)[] = [];

/**
 * Closes a window by Escape also while nothing in it has the focus: what had it is gone, and whatever gets it next has it only a
 * frame later. Without this the key would go past the window, to what it means in the page behind.
 */
export function useEscape(isOpen: boolean, onClose: () => void): void {
  const latest = useRef(onClose);
  useEffect(() => {
    latest.current = onClose;
  });
  // Before anything is painted, so that nobody sees a window that does not hear yet.
  useLayoutEffect(() => {
    if (!isOpen) return;
    const close = () => latest.current();
    if (open.length === 0) document.addEventListener("keydown", onKeyDown, { capture: true });
    open.push(close);
    return () => {
      open.splice(open.lastIndexOf(close), 1);
      if (open.length === 0) document.removeEventListener("keydown", onKeyDown, { capture: true });
    };
  }, [isOpen]);
}

function onKeyDown(event: KeyboardEvent): void {
  // Inside a window React Aria hears the key, and knows what else it may close first.
  if (event.key !== "Escape" || event.target !== document.body || event.isComposing) return;
  event.stopImmediatePropagation();
  event.preventDefault();
  open.at(-1)?.();
}
