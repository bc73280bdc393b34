import { expect, test } from "vitest";
import type { Webhook } from "~/matrix/webhooks";
import { draftOf, settingsOf } from "./draft";

const outgoing: Webhook = {
  direction: "outgoing",
  id: "h",
  name: "Tickets",
  user_id: "@hook-h:example.org",
  created_by: "@anna:example.org",
  enabled: true,
  state: "working",
  url: "https://tickets.example/hook",
  event_types: ["m.room.message", "m.reaction"],
  keywords: ["!ticket", "help"],
  allow_replies: true,
};

test("what is opened and saved without a change stays as it was", () => {
  const { name, url, event_types, keywords, allow_replies } = outgoing;
  expect(settingsOf(draftOf("outgoing", outgoing))).toEqual({
    name,
    avatar_url: "",
    url,
    event_types,
    keywords,
    allow_replies,
  });
});

test("a new outgoing webhook hears messages until somebody chooses otherwise", () => {
  const draft = draftOf("outgoing");
  expect(settingsOf(draft).event_types).toEqual(["m.room.message"]);
  expect(settingsOf({ ...draft, events: "all" }).event_types).toEqual(["*"]);
  expect(settingsOf({ ...draft, events: "some", types: " a , b,,a" }).event_types).toEqual(["a", "b"]);
});

test("an incoming webhook sends no settings of the other kind", () => {
  expect(settingsOf({ ...draftOf("incoming"), name: " Build ", allowsNames: true })).toEqual({
    name: "Build",
    avatar_url: "",
    allow_name_override: true,
  });
});
