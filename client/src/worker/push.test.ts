import { expect, it } from "vitest";
import { activationOf, notificationOf, openedBy } from "./push";

const json = (value: unknown) => JSON.stringify(value);

it("says where something was said, with IDs alone and with more", () => {
  const ids = { notification: { room_id: "!r:e.org", event_id: "$e", counts: { unread: 1 } } };
  expect(notificationOf(json(ids), "en")?.title).toBe("New message");
  const named = { ...ids.notification, room_name: "general", sender_display_name: "Anna" };
  const shown = notificationOf(json({ notification: named }), "de-AT");
  expect(shown?.title).toBe("Neue Nachricht in general");
  expect(shown?.options.body).toBe("Anna");
  expect(shown?.options.tag).toBe("!r:e.org");
});

it("says nothing once everything is read elsewhere", () => {
  expect(notificationOf(json({ notification: { counts: { unread: 0 } } }), "en")).toBeUndefined();
});

it("shows something for a body it cannot read: a silent push is a broken promise", () => {
  for (const body of ["", "{", "[]", "null", "7"])
    expect(notificationOf(body, "en")?.title).toBe("New message");
});

it("tells a push that only tries the way from one with news", () => {
  expect(activationOf(json({ app_id: "dev.echorift.web", ack_token: "try-me" }))).toBe("try-me");
  expect(activationOf(json({ event_id: "$e", room_id: "!r:e.org", unread: 1 }))).toBeUndefined();
  expect(activationOf("{")).toBeUndefined();
});

it("reads what the server pushes by itself", () => {
  const push = {
    event_id: "$e",
    room_id: "!r:e.org",
    room_name: "general",
    sender_display_name: "Anna",
    unread: 3,
  };
  const shown = notificationOf(json({ ...push, content: { body: "Lunch?" } }), "en");
  expect(shown?.title).toBe("New message in general");
  expect(shown?.options.body).toBe("Anna: Lunch?");
  expect(notificationOf(json({ unread: 0 }), "en")).toBeUndefined();
});

it("opens the message, and the start for anything else", () => {
  expect(openedBy({ roomId: "!r:e.org", eventId: "$e" })).toBe("/room/!r%3Ae.org?event=%24e");
  expect(openedBy(undefined)).toBe("/");
  expect(openedBy({ roomId: 7 })).toBe("/");
});
