import { expect, test } from "vitest";
import { keyName } from "./key-name";
import { actionOf } from "./use-call-keys";

test("keys are called as keyboards have them", () => {
  expect(["KeyV", "Digit4", "Numpad0", "ControlRight", "F13", "Space"].map(keyName)).toEqual([
    "V",
    "4",
    "Num 0",
    "Control (Right)",
    "F13",
    "␣ Space",
  ]);
});

test("shortcuts of a call take Ctrl or Command, Shift, and nothing else", () => {
  const press = (code: string, more: Partial<KeyboardEvent> = {}) =>
    actionOf({ code, ctrlKey: true, metaKey: false, shiftKey: true, altKey: false, ...more });
  expect(["KeyM", "KeyD", "KeyE", "KeyL", "KeyX"].map((code) => press(code))).toEqual([
    "mute",
    "deafen",
    "camera",
    "leave",
    undefined,
  ]);
  expect(press("KeyM", { ctrlKey: false, metaKey: true })).toBe("mute");
  expect(press("KeyM", { shiftKey: false })).toBeUndefined();
  expect(press("KeyM", { altKey: true })).toBeUndefined();
});
