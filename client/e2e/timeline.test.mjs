// Two people in a channel: what one does to messages, the other sees, and both see it again after a reload.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { World } from "./lib/world.mjs";

const world = World.forTests();

describe("messages of two people", () => {
  let anna;
  let ben;
  let roomId;

  before(async () => {
    [anna, ben] = [await world.person("anna"), await world.person("ben")];
    roomId = await anna.createRoom({ name: "release-train", members: [ben] });
    await Promise.all([anna.open(roomId), ben.open(roomId)]);
  });

  after(() => {
    for (const person of [anna, ben]) assert.deepEqual(person.complaints, []);
  });

  test("a reply quotes its message, and a click on the quote goes there", async () => {
    await anna.say("Canary is live on five percent");
    await act(ben, "Canary is live", "Reply");
    await ben.say("Fewer reconnects than in staging");
    const answer = anna.message("Fewer reconnects");
    await answer.getByRole("button", { name: /In reply to.*anna.*Canary/i }).click();
    await anna.page.locator('article[class*="target"]').filter({ hasText: "Canary" }).waitFor();
  });

  test("an edit shows on both sides, with what was said before", async () => {
    await act(anna, "Canary is live", "Edit", { fromMenu: true });
    const composer = anna.page.getByRole("textbox", { name: /^Message |edit/i }).first();
    await composer.fill("Canary is live on ten percent");
    await composer.press("Enter");
    for (const person of [anna, ben]) {
      await person.message("on ten percent").getByRole("button", { name: "edited" }).first().waitFor();
    }
    const edited = ben.message("Canary is live on ten percent").first();
    await edited.getByRole("button", { name: "edited" }).click();
    const history = ben.page.getByRole("dialog", { name: "What this message said" });
    await history.getByText("Canary is live on five percent").waitFor();
    await ben.page.keyboard.press("Escape");
  });

  test("a reaction counts on both sides, and a second press takes it back", async () => {
    const ofBen = ben.message("Canary is live on ten").first();
    await ofBen.hover();
    await ofBen.getByRole("button", { name: "React with 👍" }).click();
    const ofAnna = anna.message("Canary is live on ten").first();
    const reaction = ofAnna.getByRole("button", { name: "👍, 1 person" });
    await reaction.click();
    const both = ofBen.getByRole("button", { name: "👍, 2 people" });
    await both.waitFor();
    await both.focus();
    await ben.page
      .getByRole("tooltip")
      .filter({ hasText: /anna.*reacted with/i })
      .waitFor();
    await both.click();
    await ofAnna.getByRole("button", { name: "👍, 1 person" }).waitFor();
  });

  test("a thread opens beside the channel and is summed up under its message", async () => {
    await act(ben, "Fewer reconnects", "Open thread");
    const thread = ben.page.getByRole("log", { name: "Messages of the thread" });
    await thread.waitFor();
    const composer = ben.page.getByRole("complementary").getByRole("textbox").first();
    await composer.fill("Old pool sizing?");
    await composer.press("Enter");
    await thread.getByRole("article").filter({ hasText: "Old pool sizing?" }).waitFor();
    const root = anna.message("Fewer reconnects").first();
    await root.getByRole("button", { name: /1 reply/ }).click();
    await anna.page
      .getByRole("log", { name: "Messages of the thread" })
      .getByText("Old pool sizing?")
      .waitFor();
    assert.equal(await logOf(anna).getByText("Old pool sizing?").count(), 0);

    // What everybody should know goes into the channel too, as an answer to what the thread is about.
    await ben.page.getByText(/^Also send to #/).click();
    await composer.fill("It was the pool");
    await composer.press("Enter");
    await thread.getByRole("article").filter({ hasText: "It was the pool" }).waitFor();
    await logOf(anna)
      .getByRole("article")
      .filter({ hasText: "It was the pool" })
      .getByRole("button", { name: /In reply to/ })
      .waitFor();
    await composer.fill("Only here again");
    await composer.press("Enter");
    await thread.getByRole("article").filter({ hasText: "Only here again" }).waitFor();
    assert.equal(await logOf(ben).getByText("Only here again").count(), 0);
    await Promise.all([anna.open(roomId), ben.open(roomId)]);
  });

  test("a pin is in the panel of both", async () => {
    await act(anna, "Fewer reconnects", "Pin", { fromMenu: true });
    await ben.page.getByRole("button", { name: "Pinned messages" }).click();
    const panel = ben.page.getByRole("complementary", { name: "Pinned messages" });
    await panel.getByText("Fewer reconnects than in staging").waitFor();
    await ben.page.getByRole("button", { name: "Pinned messages" }).click();
  });

  test("what is deleted is gone for both, with its reason", async () => {
    await anna.say("A slip of the keyboard");
    await act(anna, "A slip of the keyboard", "Delete", { fromMenu: true });
    const dialog = anna.page.getByRole("alertdialog", { name: "Delete this message?" });
    await dialog.getByLabel("Reason (optional)").fill("typed by the cat");
    await dialog.getByRole("button", { name: "Delete" }).click();
    for (const person of [anna, ben]) {
      await logOf(person).getByText("Deleted: typed by the cat").waitFor();
      assert.equal(await person.message("A slip of the keyboard").count(), 0);
    }
  });

  test("the keyboard alone moves from message to message and answers", async () => {
    await logOf(anna).focus();
    await anna.page.keyboard.press("ArrowUp");
    await anna.page.keyboard.press("k");
    await anna.page.keyboard.press("k");
    const focused = anna.page.locator("article:focus");
    await focused.filter({ hasText: "Canary is live on ten percent" }).waitFor();
    await anna.page.keyboard.press("r");
    await anna.page.keyboard.type("Answered without a mouse");
    await anna.page.keyboard.press("Enter");
    await ben
      .message("Answered without a mouse")
      .getByRole("button", { name: /In reply to/ })
      .waitFor();
  });

  test("reading is shown to the one who wrote", async () => {
    await ben.message("Answered without a mouse").first().waitFor();
    await ben.page.bringToFront();
    await logOf(ben).click();
    await anna
      .message("Answered without a mouse")
      .getByRole("button", { name: /Read by .*ben/i })
      .waitFor();
  });

  test("who types is named below the messages", async () => {
    await ben.page.getByRole("textbox", { name: /^Message / }).pressSequentially("hm");
    await anna.page
      .getByRole("status")
      .filter({ hasText: /ben is typing/i })
      .waitFor();
    await ben.page.getByRole("textbox", { name: /^Message / }).fill("");
  });

  test("a poll is answered by both and ended by its author", async () => {
    const poll = {
      question: { "org.matrix.msc1767.text": "Ramp up now?" },
      kind: "org.matrix.msc3381.poll.disclosed",
      max_selections: 1,
      answers: [
        { id: "y", "org.matrix.msc1767.text": "Yes" },
        { id: "n", "org.matrix.msc1767.text": "No" },
      ],
    };
    await anna.send(roomId, { "org.matrix.msc3381.poll.start": poll }, "org.matrix.msc3381.poll.start");
    const group = (person) => person.page.getByRole("group", { name: "Poll: Ramp up now?" });
    await group(anna).getByRole("button", { name: /Yes/ }).click();
    await group(ben).getByRole("button", { name: /No/ }).click();
    await group(anna).getByText("2 people voted").waitFor();
    await group(anna).getByRole("button", { name: "End the poll" }).click();
    await group(ben).getByText("Ended, 2 people voted").waitFor();
  });

  test("after a reload everything is as it was", async () => {
    for (const person of [anna, ben]) {
      await person.open(roomId);
      const canary = person.message("Canary is live on ten percent").first();
      await canary.getByRole("button", { name: "edited" }).first().waitFor();
      await canary.getByRole("button", { name: "👍, 1 person" }).waitFor();
      await person
        .message("Fewer reconnects")
        .first()
        .getByRole("button", { name: /3 replies/ })
        .waitFor();
      await logOf(person).getByText("Deleted: typed by the cat").waitFor();
    }
  });
});

/** The channel's own messages; others are the thread's, and what tells screen readers of news. */
const logOf = ({ page }) => page.getByRole("log", { name: "Messages", exact: true });

/** Does something to the first message with this text, by its toolbar or by the menu in it. */
async function act(person, text, name, { fromMenu = false } = {}) {
  const message = person.message(text).first();
  await message.hover();
  if (!fromMenu) return message.getByRole("button", { name, exact: true }).click();
  await message.getByRole("button", { name: "More", exact: true }).click();
  await person.page.getByRole("menuitem", { name: new RegExp(`^${name}`) }).click();
}
