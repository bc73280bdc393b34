import { expect, test } from "vitest";
import { forwardedContent } from "./forward";

test("a forwarded answer leaves its quote, its thread and whom it called behind", () => {
  const content = {
    msgtype: "m.text",
    body: "> <@ben:north.example> shall we?\n\nyes",
    format: "org.matrix.custom.html",
    formatted_body: "<mx-reply><blockquote>shall we?</blockquote></mx-reply>yes",
    "m.mentions": { user_ids: ["@ben:north.example"], room: true },
    "m.relates_to": { "m.in_reply_to": { event_id: "$a" } },
  };
  expect(forwardedContent(content)).toEqual({
    msgtype: "m.text",
    body: "yes",
    format: "org.matrix.custom.html",
    formatted_body: "yes",
    "m.mentions": {},
  });
});

test("a quote that somebody wrote themselves stays", () => {
  expect(forwardedContent({ body: "> <b> is bold\nso it is" }).body).toBe("> <b> is bold\nso it is");
});

test("an encrypted file keeps its address and its key", () => {
  const file = { url: "mxc://north.example/a", key: { k: "secret" }, iv: "iv", hashes: { sha256: "h" } };
  expect(forwardedContent({ msgtype: "m.image", body: "a.png", file, info: { w: 4 } })).toEqual({
    msgtype: "m.image",
    body: "a.png",
    file,
    info: { w: 4 },
    "m.mentions": {},
  });
});
