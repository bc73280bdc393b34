const isMac = () => typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.userAgent);

/** The pressed keys in the form of `Shortcut.keys`; `undefined` while only modifiers are held. */
export function keysOf(
  event: Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">,
  mac = isMac(),
): string | undefined {
  if (["Control", "Meta", "Alt", "Shift", "AltGraph", "Dead"].includes(event.key)) return undefined;
  const mod = mac ? event.metaKey : event.ctrlKey;
  // With Alt, keys write other characters; then the place of the key decides.
  const letter = event.altKey ? /^Key([A-Z])$/.exec(event.code)?.[1] : undefined;
  const key = letter ?? (event.key.length === 1 ? event.key.toUpperCase() : event.key);
  // Characters that need Shift on some keyboards are themselves, without it.
  const shift = event.shiftKey && (key.length > 1 || /[A-Z0-9]/.test(key));
  return [mod && "Mod", event.altKey && "Alt", shift && "Shift", key].filter(Boolean).join("+");
}

const SHOWN: Readonly<Record<string, string>> = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
  Delete: "Del",
  Shift: "⇧",
};

/** Keys as they are shown: `Ctrl K`, on macOS `⌘ K`. */
export function shownKeys(keys: string, mac = isMac()): string {
  return keys
    .replace(/\+$/, "Plus")
    .split("+")
    .map((key) =>
      key === "Plus" || key === "" ? "+" : key === "Mod" ? (mac ? "⌘" : "Ctrl") : (SHOWN[key] ?? key),
    )
    .join(" ");
}
