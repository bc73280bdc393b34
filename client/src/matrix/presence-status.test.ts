import { expect, test } from "vitest";
import { fromWire, NO_STATUS, type OwnStatus, parseStatus, storeStatus, toWire } from "./presence-status";

const status = (change: Partial<OwnStatus>): OwnStatus => ({ ...NO_STATUS, ...change });

test("what one chooses is what others see", () => {
  const seen = (own: OwnStatus, isIdle = false) => {
    const { presence, text } = toWire(own, isIdle);
    return fromWire(presence, text);
  };
  expect(seen(status({ text: "Hi" }))).toEqual({ state: "online", text: "Hi" });
  expect(seen(status({ mode: "busy", text: "Presenting" }))).toEqual({ state: "busy", text: "Presenting" });
  expect(seen(status({ mode: "busy" }))).toEqual({ state: "busy", text: "" });
  expect(seen(status({ mode: "away" })).state).toBe("away");
  expect(seen(status({ mode: "invisible", text: "Hi" })).state).toBe("offline");
});

test("idle people are away, but stay busy and invisible if they chose that", () => {
  expect(toWire(NO_STATUS, true).presence).toBe("unavailable");
  expect(toWire(status({ mode: "invisible" }), true).presence).toBe("offline");
  const busy = toWire(status({ mode: "busy" }), true);
  expect(fromWire(busy.presence, busy.text).state).toBe("busy");
});

test("a stored choice comes back, and a broken one counts as none", () => {
  const own = status({ mode: "busy", text: "Presenting", untilTs: 5 });
  expect(parseStatus(storeStatus(own))).toEqual(own);
  expect(parseStatus({ mode: 7, text: null })).toEqual(NO_STATUS);
  expect(parseStatus(undefined)).toEqual(NO_STATUS);
});
