// Writing: names, Markdown, commands, drafts, edits and input methods.

import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./lib/world.mjs";

const world = World.forTests();

const composer = ({ page }) => page.getByRole("textbox", { name: /^Message / });

/** The newest message of a room, as the server has it, once it says this. */
async function received(person, roomId, body) {
  for (;;) {
    const path = `rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=20`;
    const { chunk } = await person.call("GET", path);
    const found = chunk.find(({ content }) => content?.body === body);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("names, Markdown, answers and edits arrive as they were meant", async () => {
  const anna = await world.person("anna");
  const ben = await world.account("ben");
  const benAtHome = await world.visitor(ben);
  const roomId = await anna.createRoom({ name: "general", members: [benAtHome] });
  await anna.open(roomId);
  const field = composer(anna);

  // A name chosen by keyboard alone is a pill here and a mention there.
  await field.pressSequentially("hello @be");
  await anna.page.getByRole("option", { name: /ben/ }).waitFor();
  await field.press("Enter");
  await field.pressSequentially("and **you**");
  const preview = anna.page.getByRole("button", { name: "Preview" });
  await preview.click();
  await anna.page.getByRole("region", { name: "Preview" }).getByText("you", { exact: true }).waitFor();
  await preview.click();
  await field.focus();
  await field.press("Enter");
  const mentioned = await received(anna, roomId, "hello @ben and **you**");
  assert.deepEqual(mentioned.content["m.mentions"], { user_ids: [ben.userId] });
  assert.match(mentioned.content.formatted_body, /<a href="https:\/\/matrix.to\/#\/%40ben/);
  assert.match(mentioned.content.formatted_body, /<strong>you<\/strong>/);

  // Plain text stays plain, Shift+Enter breaks, an emoji comes by its name.
  await field.pressSequentially("one :tada");
  await anna.page.getByRole("option", { name: /tada/ }).first().waitFor();
  await field.press("Tab");
  await field.press("Shift+Enter");
  await field.pressSequentially("two");
  await field.press("Enter");
  const plain = await received(anna, roomId, "one 🎉 \ntwo");
  assert.equal(plain.content.formatted_body, undefined);

  // Enter that ends an input method's word does not send.
  await field.fill("にほん");
  await field.evaluate((element) => {
    const key = { key: "Enter", keyCode: 229, isComposing: true, bubbles: true, cancelable: true };
    element.dispatchEvent(new KeyboardEvent("keydown", key));
  });
  assert.equal(await field.inputValue(), "にほん");
  await field.fill("");

  // Up changes the last message; the draft is where it was afterwards.
  await field.press("ArrowUp");
  await anna.page.getByText("Editing your message").waitFor();
  assert.equal(await field.inputValue(), "one 🎉 \ntwo");
  await field.fill("three");
  await field.press("Enter");
  const edit = await received(anna, roomId, "* three");
  assert.deepEqual(edit.content["m.relates_to"], { rel_type: "m.replace", event_id: plain.event_id });
  assert.equal(edit.content["m.new_content"].body, "three");
  assert.deepEqual(anna.complaints, []);
});

test("commands do what they say, and what is begun outlives the page", async () => {
  const dora = await world.person("dora");
  const roomId = await dora.createRoom({ name: "plans" });
  const other = await dora.createRoom({ name: "side" });
  await dora.open(roomId);
  const field = composer(dora);

  await field.pressSequentially("/sh");
  await dora.page.getByRole("option", { name: /shrug/ }).waitFor();
  await field.press("Tab");
  await field.press("Enter");
  await received(dora, roomId, "¯\\_(ツ)_/¯");
  await field.fill("/me waves");
  await field.press("Enter");
  const emote = await received(dora, roomId, "waves");
  assert.equal(emote.content.msgtype, "m.emote");
  await field.fill("/topic All about plans");
  await field.press("Enter");
  await dora.page.getByText("All about plans").first().waitFor();
  await field.fill("/dance");
  await field.press("Enter");
  await dora.page.getByText(/no command \/dance/).waitFor();
  assert.equal(await field.inputValue(), "/dance");
  await field.fill("/help");
  await field.press("Enter");
  await dora.page.getByRole("dialog", { name: "Commands" }).getByText("Change the topic").waitFor();
  await dora.page.keyboard.press("Escape");

  await field.fill("half a thought");
  await dora.open(other);
  assert.equal(await composer(dora).inputValue(), "");
  await dora.open(roomId);
  await dora.page.waitForFunction(() => document.querySelector("textarea")?.value === "half a thought");
  assert.deepEqual(dora.complaints, []);
});

test("an answer, a change and a thread's words wait through other channels and a reload, until sent or signed out", async () => {
  const greta = await world.person("greta");
  const { page } = greta;
  const roomId = await greta.createRoom({ name: "drafts" });
  const other = await greta.createRoom({ name: "elsewhere" });
  const root = await greta.sendText(roomId, "where it began");
  const own = await greta.sendText(roomId, "what is to be changed");
  await greta.createSpace("Desk", [roomId, other]);
  const threadPath = `/room/${encodeURIComponent(roomId)}?thread=${encodeURIComponent(root)}`;
  const inChannel = page.getByRole("textbox", { name: "Message #drafts" });
  const inThread = page.getByRole("textbox", { name: "Message in the thread" });
  const link = (id) => page.locator(`nav a[href="/room/${encodeURIComponent(id)}"]`).first();
  const holds = async (field, words) => {
    await field.waitFor();
    const handle = await field.elementHandle();
    await page.waitForFunction(([element, value]) => element.value === value, [handle, words]);
  };

  // A thread of the channel, an answer in it, and over that a change of a message.
  await page.goto(`${world.origin}${threadPath}`);
  await inThread.fill("half an answer");
  await greta.open(roomId);
  await greta.message("where it began").first().hover();
  await greta.message("where it began").first().getByRole("button", { name: "Reply", exact: true }).click();
  await page.getByText("Reply to").waitFor();
  await inChannel.fill("to be answered");
  await greta.message("what is to be changed").first().hover();
  await greta.message("what is to be changed").getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: /^Edit/ }).click();
  await page.getByText("Editing your message").waitFor();
  await inChannel.fill("what is being changed");

  await link(other).click();
  await holds(page.getByRole("textbox", { name: "Message #elsewhere" }), "");
  await link(roomId).click();
  await holds(inChannel, "what is being changed");
  await page.reload();
  await page.getByText("Editing your message").waitFor();
  await holds(inChannel, "what is being changed");
  await link(roomId).getByRole("img", { name: /draft/i }).waitFor();

  // What is sent is begun no more, one after the other.
  await inChannel.press("Enter");
  const edit = await received(greta, roomId, "* what is being changed");
  assert.equal(edit.content["m.relates_to"].event_id, own);
  await holds(inChannel, "to be answered");
  await page.getByText("Reply to").waitFor();
  await inChannel.press("Enter");
  const answer = await received(greta, roomId, "to be answered");
  assert.equal(answer.content["m.relates_to"]["m.in_reply_to"].event_id, root);
  await page.goto(`${world.origin}${threadPath}`);
  await holds(inThread, "half an answer");
  await holds(inChannel, "");
  await inThread.press("Enter");
  await received(greta, roomId, "half an answer");
  await page.reload();
  await holds(inThread, "");

  // Whoever signs in after somebody finds nothing of theirs, not even the same person.
  await inChannel.fill("not for others");
  await page.getByRole("button", { name: "Settings", exact: true }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("User name").waitFor();
  await greta.enterPassword();
  await link(roomId).click();
  await inChannel.waitFor();
  assert.equal(await inChannel.inputValue(), "");
  assert.deepEqual(greta.complaints, []);
});

test("messages are found by words, people and what they hold, and a click goes there", async () => {
  const emil = await world.person("emil");
  const fritz = await world.visitor(await world.account("fritz"));
  const roomId = await emil.createRoom({ name: "archive", members: [fritz] });
  await emil.sendText(roomId, "The crème brûlée is ready");
  await fritz.sendText(roomId, "Creme is at https://example.org");
  await emil.sendText(roomId, "something else");
  const path = `${world.origin}/room/${encodeURIComponent(roomId)}?panel=search`;
  await emil.page.goto(path);
  const field = emil.page.getByRole("searchbox", { name: "Search messages" });
  const results = emil.page.getByRole("list", { name: "Results" }).getByRole("listitem");

  // A message can be found a moment after it was sent: the field asks again with the next key.
  await field.fill("creme");
  await results.nth(1).waitFor();
  await field.fill("creme from:fritz");
  await results.nth(1).waitFor({ state: "detached" });
  await results.getByText("Creme is at").waitFor();
  await field.fill("has:link");
  await emil.page.waitForURL(/q=has/);
  await results.filter({ hasText: "example.org" }).waitFor();
  assert.equal(await results.count(), 1);
  await emil.page.waitForURL(/q=has/);
  await results.first().getByRole("link").click();
  await emil.page.waitForURL(/event=/);
  assert.deepEqual(emil.complaints, []);
});
