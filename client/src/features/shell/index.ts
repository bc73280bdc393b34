export { SHORTCUTS, type ShortcutId, useShortcut } from "~/hooks/shortcuts";
export { Shell } from "./shell";
