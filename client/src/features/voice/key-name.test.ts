import { expect, test } from "vitest";
import { keyName } from "./key-name";

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
