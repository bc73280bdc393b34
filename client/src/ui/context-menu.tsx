import { type KeyboardEvent, type MouseEvent, type ReactNode, useRef, useState } from "react";
import { type MenuEntry, MenuSurface } from "./menu";

interface ContextMenuHandlers {
  onContextMenu: (event: MouseEvent) => void;
  onKeyDown: (event: KeyboardEvent) => void;
}

/**
 * A menu for a thing that is itself a link or button: right-click, long press and Shift+F10 open it.
 * Give `handlers` to the thing and put `menu` beside it. Entries are asked for when it opens.
 */
export function useContextMenu(
  label: string,
  entries: () => readonly MenuEntry[],
): { handlers: ContextMenuHandlers; menu: ReactNode; isOpen: boolean } {
  const [opened, setOpened] = useState<{ x: number; y: number; entries: readonly MenuEntry[] }>();
  const anchor = useRef<HTMLSpanElement>(null);

  function openAt(x: number, y: number) {
    setOpened({ x, y, entries: entries() });
  }

  const handlers: ContextMenuHandlers = {
    onContextMenu(event) {
      event.preventDefault();
      openAt(event.clientX, event.clientY);
    },
    onKeyDown(event) {
      if (event.key !== "ContextMenu" && !(event.key === "F10" && event.shiftKey)) return;
      event.preventDefault();
      const { left, bottom } = event.currentTarget.getBoundingClientRect();
      openAt(left + 16, bottom);
    },
  };
  const menu = opened && (
    <>
      <span ref={anchor} aria-hidden style={{ position: "fixed", left: opened.x, top: opened.y }} />
      <MenuSurface
        label={label}
        entries={opened.entries}
        anchor={anchor}
        onClose={() => setOpened(undefined)}
      />
    </>
  );
  return { handlers, menu, isOpen: opened !== undefined };
}
