import { expect, test } from "vitest";
import { phoneAddress } from "./profiles";

test.each([
  ["+49 (0)40 123-45", "tel:+494012345"],
  ["040 / 123 45", "tel:04012345"],
  ["*21#", "tel:*21%23"],
])("%s is called by %s", (phone, address) => {
  expect(phoneAddress(phone)).toBe(address);
});

test.each(["ask the porter", "", "+"])("%s is no number", (phone) => {
  expect(phoneAddress(phone)).toBeUndefined();
});
