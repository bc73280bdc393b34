import { expect, test } from "vitest";
import type { CallMember, MemberKey } from "~/calls/types";
import { columnsFor, focusOf } from "./layout";

const member = (name: string, more: Partial<CallMember> = {}) =>
  ({ key: `@${name}:a|D` as MemberKey, isMe: false, isSpeaking: false, ...more }) as CallMember;
const key = (name: string) => member(name).key;

test("the speaker stands large, and stays until somebody else speaks", () => {
  const quiet = [member("me", { isMe: true }), member("ann"), member("ben")];
  expect(focusOf(quiet, undefined, undefined)).toBe(key("ann"));
  expect(focusOf(quiet, undefined, key("ben"))).toBe(key("ben"));
  const speaking = [member("me", { isMe: true }), member("ann"), member("ben", { isSpeaking: true })];
  expect(focusOf(speaking, undefined, key("ann"))).toBe(key("ben"));
});

test("who is pinned stays, whoever speaks, until they leave", () => {
  const members = [member("ann"), member("ben", { isSpeaking: true })];
  expect(focusOf(members, key("ann"), undefined)).toBe(key("ann"));
  expect(focusOf(members, key("gone"), undefined)).toBe(key("ben"));
});

test("one sees oneself large only when alone", () => {
  const me = member("me", { isMe: true, isSpeaking: true });
  expect(focusOf([me], undefined, undefined)).toBe(key("me"));
  expect(focusOf([me, member("ann")], undefined, undefined)).toBe(key("ann"));
});

test("tiles stand in about as many columns as rows", () => {
  expect([0, 1, 2, 4, 5, 9, 10].map(columnsFor)).toEqual([1, 1, 2, 2, 3, 3, 4]);
});
