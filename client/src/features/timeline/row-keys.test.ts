import { expect, test, vi } from "vitest";
import type { MessageActs } from "./message-actions";
import { actOf } from "./row-keys";

vi.mock("~/features/composer", () => ({}));

const acts: MessageActs = {
  reply: vi.fn(),
  thread: vi.fn(),
  edit: undefined,
  pin: vi.fn(),
  remove: undefined,
  forward: undefined,
  mayReact: true,
  isPinned: false,
};

test("keys act as far as it is allowed", () => {
  const emoji = vi.fn();
  expect(actOf("r", acts, emoji)).toBe(acts.reply);
  expect(actOf("T", acts, emoji)).toBe(acts.thread);
  expect(actOf("+", acts, emoji)).toBe(emoji);
  expect(actOf("e", acts, emoji)).toBeUndefined();
  expect(actOf("Delete", acts, emoji)).toBeUndefined();
  expect(actOf("x", acts, emoji)).toBeUndefined();
});

test("nobody reacts where reactions are not allowed", () => {
  expect(actOf("+", { ...acts, mayReact: false }, vi.fn())).toBeUndefined();
});
