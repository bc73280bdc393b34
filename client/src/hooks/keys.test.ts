import { expect, test } from "vitest";
import { keysOf, shownKeys } from "./keys";

const press = (key: string, more: Partial<KeyboardEvent> = {}) => ({
  key,
  code: "",
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...more,
});

test("keys are named with their modifiers in one order", () => {
  expect(keysOf(press("k", { ctrlKey: true }), false)).toBe("Mod+K");
  expect(keysOf(press("k", { metaKey: true }), true)).toBe("Mod+K");
  expect(keysOf(press("ArrowUp", { altKey: true, shiftKey: true }), false)).toBe("Alt+Shift+ArrowUp");
  expect(keysOf(press("M", { ctrlKey: true, shiftKey: true }), false)).toBe("Mod+Shift+M");
});

test("a character is itself, whether a keyboard needs Shift for it or not", () => {
  expect(keysOf(press("/", { ctrlKey: true, shiftKey: true }), false)).toBe("Mod+/");
  expect(keysOf(press("+", { shiftKey: true }), false)).toBe("+");
});

test("modifiers alone are no keys", () => {
  expect(keysOf(press("Shift", { shiftKey: true }), false)).toBeUndefined();
});

test("keys are shown as the keyboard names them", () => {
  expect(shownKeys("Mod+Alt+ArrowUp", false)).toBe("Ctrl Alt ↑");
  expect(shownKeys("Mod+K", true)).toBe("⌘ K");
  expect(shownKeys("+", false)).toBe("+");
});
