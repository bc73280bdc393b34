import type { LucideIcon } from "lucide-react";
import ChevronRight from "lucide-react/icons/chevron-right";
import type { ReactNode, RefObject } from "react";
import {
  Menu as AriaMenu,
  MenuItem,
  MenuTrigger,
  Popover,
  Separator,
  SubmenuTrigger,
} from "react-aria-components/Menu";
import { cx } from "./cx";
import styles from "./menu.module.css";

export type MenuEntry =
  | {
      id: string;
      label: string;
      icon?: LucideIcon;
      isDangerous?: boolean;
      isDisabled?: boolean;
      hint?: string;
      onAction: () => void;
    }
  /** A menu of its own beside this one. */
  | { id: string; label: string; icon?: LucideIcon; entries: readonly MenuEntry[] }
  | "separator";

interface MenuProps {
  /** What the menu is about, for screen readers. */
  label: string;
  entries: readonly MenuEntry[];
  /** `press` opens by click, Enter and arrow down; `contextMenu` by right-click, long press and Shift+F10. */
  trigger?: "press" | "contextMenu";
  /** One element that can be pressed, for example a button of ours. */
  children: ReactNode;
}

/** A menu of actions that opens from its child. */
export function Menu({ label, entries, trigger = "press", children }: MenuProps) {
  return (
    <MenuTrigger trigger={trigger}>
      {children}
      <MenuSurface label={label} entries={entries} />
    </MenuTrigger>
  );
}

interface MenuSurfaceProps extends Pick<MenuProps, "label" | "entries"> {
  /** Where it floats, if no trigger around it says so. */
  anchor?: RefObject<Element | null>;
  onClose?: () => void;
}

/** The floating part alone: inside a trigger, or open at an anchor of one's own. */
export function MenuSurface({ label, entries, anchor, onClose }: MenuSurfaceProps) {
  const placed = anchor && {
    isOpen: true,
    triggerRef: anchor,
    placement: "bottom start" as const,
    onOpenChange: (isOpen: boolean) => {
      if (!isOpen) onClose?.();
    },
  };
  return (
    <Popover className={styles.popover ?? ""} offset={anchor ? 2 : 6} {...placed}>
      <AriaMenu
        aria-label={label}
        className={styles.menu ?? ""}
        {...(anchor ? { autoFocus: "first" as const } : {})}
        {...(onClose ? { onClose } : {})}
      >
        <Entries entries={entries} onClose={onClose} />
      </AriaMenu>
    </Popover>
  );
}

interface EntriesProps {
  entries: readonly MenuEntry[];
  /** Closes the outermost menu, if it has no trigger that would. */
  onClose: (() => void) | undefined;
}

function Entries({ entries, onClose }: EntriesProps) {
  return entries.map((entry, index) => {
    if (entry === "separator") {
      // biome-ignore lint/suspicious/noArrayIndexKey: separators have no other identity.
      return <Separator key={`separator-${index}`} className={styles.separator ?? ""} />;
    }
    if ("entries" in entry) return <Submenu key={entry.id} entry={entry} onClose={onClose} />;
    return (
      <MenuItem
        key={entry.id}
        id={entry.id}
        textValue={entry.label}
        isDisabled={entry.isDisabled ?? false}
        onAction={entry.onAction}
        className={cx(styles.item, entry.isDangerous && styles.dangerous)}
      >
        {entry.icon && <entry.icon size={16} strokeWidth={1.9} aria-hidden />}
        <span className={styles.label}>{entry.label}</span>
        {entry.hint && <kbd className={styles.hint}>{entry.hint}</kbd>}
      </MenuItem>
    );
  });
}

interface SubmenuProps {
  entry: Extract<MenuEntry, { entries: unknown }>;
  onClose: EntriesProps["onClose"];
}

function Submenu({ entry, onClose }: SubmenuProps) {
  return (
    <SubmenuTrigger>
      <MenuItem id={entry.id} textValue={entry.label} className={styles.item ?? ""}>
        {entry.icon && <entry.icon size={16} strokeWidth={1.9} aria-hidden />}
        <span className={styles.label}>{entry.label}</span>
        <ChevronRight size={15} strokeWidth={1.9} aria-hidden />
      </MenuItem>
      <Popover className={styles.popover ?? ""} offset={2}>
        <AriaMenu aria-label={entry.label} className={styles.menu ?? ""} onAction={() => onClose?.()}>
          <Entries entries={entry.entries} onClose={onClose} />
        </AriaMenu>
      </Popover>
    </SubmenuTrigger>
  );
}
