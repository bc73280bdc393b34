import { useEffect, useRef } from "react";
import { create } from "zustand";
import { persist } from "zustand/middleware";
import { keysOf } from "./keys";

export type ShortcutGroup = "move" | "messages" | "call" | "write";

interface Shortcut {
  readonly id: string;
  readonly group: ShortcutGroup;
  /** `Mod` is Ctrl, or ⌘ on macOS. Single letters work inside `[data-shortcuts="timeline"]` alone (WCAG 2.1.4). */
  readonly keys: string;
}

/** Every shortcut of the client. */
export const SHORTCUTS = [
  { id: "switcher", group: "move", keys: "Mod+K" },
  { id: "search", group: "move", keys: "Mod+F" },
  { id: "previousChannel", group: "move", keys: "Alt+ArrowUp" },
  { id: "nextChannel", group: "move", keys: "Alt+ArrowDown" },
  { id: "previousUnread", group: "move", keys: "Alt+Shift+ArrowUp" },
  { id: "nextUnread", group: "move", keys: "Alt+Shift+ArrowDown" },
  { id: "previousServer", group: "move", keys: "Mod+Alt+ArrowUp" },
  { id: "nextServer", group: "move", keys: "Mod+Alt+ArrowDown" },
  { id: "nextRegion", group: "move", keys: "F6" },
  { id: "previousRegion", group: "move", keys: "Shift+F6" },
  { id: "markRead", group: "move", keys: "Escape" },
  { id: "shortcuts", group: "move", keys: "Mod+/" },
  { id: "nextMessage", group: "messages", keys: "J" },
  { id: "previousMessage", group: "messages", keys: "K" },
  { id: "reply", group: "messages", keys: "R" },
  { id: "thread", group: "messages", keys: "T" },
  { id: "edit", group: "messages", keys: "E" },
  { id: "react", group: "messages", keys: "+" },
  { id: "pin", group: "messages", keys: "P" },
  { id: "delete", group: "messages", keys: "Delete" },
  { id: "mute", group: "call", keys: "Mod+Shift+M" },
  { id: "deafen", group: "call", keys: "Mod+Shift+D" },
  { id: "camera", group: "call", keys: "Mod+Shift+E" },
  { id: "leaveCall", group: "call", keys: "Mod+Shift+L" },
  { id: "upload", group: "write", keys: "Mod+Shift+U" },
  { id: "editLast", group: "write", keys: "ArrowUp" },
] as const satisfies readonly Shortcut[];

export type ShortcutId = (typeof SHORTCUTS)[number]["id"];

interface ShortcutSettings {
  /** Keys that this person chose instead. */
  keys: Partial<Record<ShortcutId, string>>;
  /** Whether single letters act on messages. */
  usesLetters: boolean;
}

export const useShortcutSettings = create<ShortcutSettings>()(
  persist((): ShortcutSettings => ({ keys: {}, usesLetters: true }), { name: "echorift.shortcuts" }),
);

/** The keys of a shortcut, as this person has them. */
export function shortcutKeys(id: ShortcutId): string {
  return (
    useShortcutSettings.getState().keys[id] ?? SHORTCUTS.find((shortcut) => shortcut.id === id)?.keys ?? ""
  );
}

/** Answers `false` to let others, and the browser, have the key. */
type Handler = (event: KeyboardEvent) => unknown;

const handlers = new Map<ShortcutId, Handler[]>();
/** Registered with the shell's start; what its own control handles (`editLast`) is listed but not dispatched. */
let isListening = false;

/** Acts when the shortcut is pressed, while mounted; the one mounted last is asked first. */
export function useShortcut(id: ShortcutId, handler: Handler, isActive = true): void {
  const latest = useRef(handler);
  useEffect(() => {
    latest.current = handler;
  });
  useEffect(() => {
    if (!isActive) return;
    if (!isListening) {
      isListening = true;
      document.addEventListener("keydown", dispatch);
    }
    const own: Handler = (event) => latest.current(event);
    const registered = handlers.get(id) ?? [];
    handlers.set(id, [own, ...registered]);
    return () => {
      handlers.set(
        id,
        (handlers.get(id) ?? []).filter((other) => other !== own),
      );
    };
  }, [id, isActive]);
}

function dispatch(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const pressed = keysOf(event);
  if (pressed === undefined) return;
  for (const { id } of SHORTCUTS) {
    const registered = handlers.get(id);
    if (!registered?.length || shortcutKeys(id) !== pressed || !isMeant(pressed, event)) continue;
    for (const handler of registered) {
      if (handler(event) === false) continue;
      event.preventDefault();
      return;
    }
  }
}

/** Keys that also write or move a cursor are shortcuts only where nothing is written. */
function isMeant(keys: string, event: KeyboardEvent): boolean {
  if (/^(Mod|Alt)\+|^F\d/.test(keys) || /\+F\d/.test(keys) || keys === "Escape") return true;
  const target = event.target instanceof Element ? event.target : undefined;
  const isWriting = target?.closest("input, textarea, select, [contenteditable=true]") != null;
  const isInTimeline = target?.closest('[data-shortcuts="timeline"]') != null;
  return !isWriting && isInTimeline && useShortcutSettings.getState().usesLetters;
}
