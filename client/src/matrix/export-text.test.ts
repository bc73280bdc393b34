import { expect, test } from "vitest";
import { type ExportedMessage, fileNameFor, roomAsHtml } from "./export-text";

const message = (change: Partial<ExportedMessage>): ExportedMessage => ({
  event_id: "$e",
  type: "m.room.message",
  sender: "@anna:x",
  sender_name: "Anna",
  sent: "2026-11-28T12:00:00.000Z",
  content: { body: "Hi" },
  ...change,
});
const html = (change: Partial<ExportedMessage>) =>
  roomAsHtml({ room_id: "!r", name: "general", exported: "", messages: [message(change)] }, "en");

test("nothing that somebody wrote becomes markup", () => {
  const page = html({
    sender: '"><script>',
    sender_name: "<img src=x onerror=alert(1)>",
    content: { body: "</div><script>alert(1)</script> & 'quotes'" },
  });
  expect(page).not.toContain("<script>");
  expect(page).not.toContain("<img");
  expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#39;quotes&#39;");
});

test("what could not be read is marked, and files are named", () => {
  expect(html({ is_undecryptable: true })).toContain("🔒");
  expect(html({ content: { body: "plan.pdf", url: "mxc://x/y" } })).toContain("plan.pdf (mxc://x/y)");
});

test("file names are safe on every system", () => {
  expect(fileNameFor("../../etc: größe?", "!abcDEF123:x")).toBe("etc größe abcDEF");
  expect(fileNameFor("🎉", "!a")).toBe("room a");
});
