// Messages that only the people in a conversation can read, on the first device and on the ones after it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertAccessible } from "./lib/axe.mjs";
import { World } from "./lib/world.mjs";

const world = World.forTests();
const assertCalm = (...people) => {
  for (const { userId, complaints } of people) assert.deepEqual(complaints, [], userId);
};
const dialog = (page, name) => page.getByRole("dialog", { name });
const isConfirmed = (page) =>
  page.getByRole("complementary", { name: "Encryption" }).waitFor({ state: "detached" });

/** Signs in for the first time, puts the recovery key away, and gives it. */
async function firstSteps(name) {
  const person = await world.visitor(await world.account(name));
  await person.signIn({ staysAtWelcome: true });
  const { page } = person;
  const recoveryKey = await page.getByRole("status", { name: "Your recovery key" }).textContent();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  assert.equal((await download).suggestedFilename(), "echorift-recovery-key.txt");
  await page.getByRole("button", { name: "I have saved it" }).click();
  await page.getByText("Your recovery key is saved.").waitFor();
  await page.getByRole("button", { name: "Start" }).click();
  await page.waitForURL((url) => url.pathname === "/");
  return { person, recoveryKey };
}

/** The same account in another browser. */
async function secondBrowser(of) {
  const second = await world.visitor(of.account);
  await second.signIn();
  return second;
}

/** Runs in the page: from now on its camera sees this picture, on a desk. */
async function seeByCamera(picture) {
  const image = new Image();
  image.src = picture;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
  const context = canvas.getContext("2d");
  setInterval(() => {
    context.fillStyle = "#8a7f72";
    context.fillRect(0, 0, 640, 480);
    context.drawImage(image, 140, 60, 360, 360);
  }, 50);
  navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(20);
}

/** Both sides see the same seven pictures, and say so. */
async function compare(asking, asked) {
  await asked.getByRole("button", { name: "Compare", exact: true }).click();
  await asking.getByRole("button", { name: "Compare pictures instead" }).click();
  const pictures = [];
  for (const side of [asking, asked]) {
    await side.getByRole("list", { name: "Pictures to compare" }).waitFor();
    pictures.push(await side.getByRole("listitem").allInnerTexts());
  }
  assert.equal(pictures[0].length, 7);
  assert.deepEqual(pictures[0], pictures[1]);
  for (const side of [asking, asked]) await side.getByRole("button", { name: "They match" }).click();
}

test("a direct message is read by both, then on a second browser by the recovery key and by emoji", async () => {
  const { person: anna, recoveryKey } = await firstSteps("anna");
  const { person: ben } = await firstSteps("ben");
  const roomId = await anna.createRoom({ members: [ben], isEncrypted: true, is_direct: true });
  await anna.open(roomId);
  await ben.open(roomId);
  await anna.say("only for us");
  await ben.message("only for us").waitFor();
  await ben.say("nobody else reads this");
  await anna.message("nobody else reads this").waitFor();
  const { chunk } = await ben.call("GET", `rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=5`);
  assert.equal(chunk.filter(({ type }) => type === "m.room.message").length, 0, "the server saw no text");

  // By the recovery key, in three steps.
  const laptop = await secondBrowser(anna);
  await laptop.open(roomId);
  await laptop.page.getByRole("button", { name: "Confirm", exact: true }).click();
  const verify = dialog(laptop.page, "Confirm that it is you");
  await verify.getByLabel("Recovery key").fill("EsTx wrong");
  await verify.getByRole("button", { name: "Unlock" }).click();
  await verify.getByText("This is not a recovery key").waitFor();
  await verify.getByLabel("Recovery key").fill(recoveryKey);
  await verify.getByRole("button", { name: "Unlock" }).click();
  await isConfirmed(laptop.page);
  await laptop.message("only for us").waitFor();
  await laptop.message("nobody else reads this").waitFor();

  // By emoji, between the second browser of the other one and his first.
  const phone = await secondBrowser(ben);
  await phone.open(roomId);
  await phone.page.getByRole("button", { name: "Confirm", exact: true }).click();
  await phone.page.getByRole("button", { name: "Use another device" }).click();
  const [asking, asked] = [phone.page, ben.page].map((page) =>
    dialog(page, "Compare with your other device"),
  );
  await compare(asking, asked);
  for (const side of [asking, asked]) {
    await side.getByText("Confirmed. Both devices can read your messages.").waitFor();
    await side.getByRole("button", { name: "Done" }).click();
  }
  await isConfirmed(phone.page);
  await phone.message("only for us").waitFor();
  assertCalm(anna, ben, laptop, phone);
});

test("a message whose key comes to the backup late is read as soon as it is there", async (t) => {
  const { person: nora, recoveryKey } = await firstSteps("nora");
  const roomId = await nora.createRoom({ name: "notes", isEncrypted: true });
  let bring = () => {};
  const isBrought = new Promise((resolve) => {
    bring = resolve;
  });
  t.after(bring);
  await nora.page.route("**/room_keys/keys?*", async (route) => {
    if (route.request().method() === "PUT") await isBrought;
    await route.continue();
  });
  await nora.open(roomId);
  await nora.say("the key to this is slow");
  await nora.message("the key to this is slow").waitFor();

  const laptop = await secondBrowser(nora);
  await laptop.open(roomId);
  const answered = (path, status) =>
    laptop.page.waitForResponse((response) => path.test(response.url()) && response.status() === status);
  // The key of the message, and all that are there.
  const asked = Promise.all([
    answered(/room_keys\/keys\/[^/]+\/[^/]+\?/, 404),
    answered(/room_keys\/keys\?/, 200),
  ]);
  await laptop.page.getByRole("button", { name: "Confirm", exact: true }).click();
  const verify = dialog(laptop.page, "Confirm that it is you");
  await verify.getByLabel("Recovery key").fill(recoveryKey);
  await verify.getByRole("button", { name: "Unlock" }).click();
  await isConfirmed(laptop.page);
  await asked;
  bring();
  await laptop.message("the key to this is slow").waitFor();
  assertCalm(nora, laptop);
});

test("a code on one screen, read by the camera of the other, confirms a new device", async () => {
  const { person: kira } = await firstSteps("kira");
  const laptop = await secondBrowser(kira);
  await laptop.page.getByRole("button", { name: "Confirm", exact: true }).click();
  await laptop.page.getByRole("button", { name: "Use another device" }).click();
  const [shows, reads] = [laptop.page, kira.page].map((page) =>
    dialog(page, "Compare with your other device"),
  );
  await reads.getByRole("button", { name: "Compare", exact: true }).click();
  const code = shows.getByRole("img", { name: "Code to be read by the other side" });
  await code.waitFor();
  await assertAccessible(laptop.page, "the code of a new device");
  const picture = (await code.screenshot()).toString("base64");
  await kira.page.evaluate(seeByCamera, `data:image/png;base64,${picture}`);
  await reads.getByRole("button", { name: "Open camera" }).click();
  await shows.getByText("Your other device has read the code.").waitFor();
  await reads.getByText("Waiting for the other side to confirm").waitFor();
  await assertAccessible(kira.page, "a code that was read");
  await shows.getByRole("button", { name: "Yes" }).click();
  for (const side of [shows, reads]) {
    await side.getByText("Confirmed. Both devices can read your messages.").waitFor();
    await side.getByRole("button", { name: "Done" }).click();
  }
  await isConfirmed(laptop.page);
  assertCalm(kira, laptop);
});

test("two people compare pictures, and each is shown to the other as confirmed", async () => {
  const emma = await world.person("emma");
  const finn = await world.person("finn");
  const roomId = await emma.createRoom({ name: "project", members: [finn] });
  await emma.open(roomId);
  const row = (name) =>
    emma.page.getByRole("complementary", { name: "Members" }).getByRole("button", { name });
  await row(/^finn/).click();
  const card = dialog(emma.page, "Profile");
  await card.getByText("Nobody has checked yet that it is really finn.").waitFor();
  await card.getByRole("button", { name: "Message" }).click();
  await emma.page.waitForURL((url) => !url.pathname.includes(encodeURIComponent(roomId)));
  await finn.page.goto(emma.page.url());
  await finn.page
    .getByRole("article", { name: /^Invitation/ })
    .getByRole("button", { name: "Accept" })
    .click();
  await finn.page.getByRole("button", { name: "Encrypted. Confirm that it is emma" }).waitFor();

  await emma.page.getByRole("button", { name: "Encrypted. Confirm that it is finn" }).click();
  const [asking, asked] = [dialog(emma.page, "Compare with finn"), dialog(finn.page, "Compare with emma")];
  await compare(asking, asked);
  for (const side of [asking, asked]) {
    await side.getByText(/Confirmed. You and (emma|finn) are talking/).waitFor();
    await side.getByRole("button", { name: "Done" }).click();
  }
  await emma.page.getByRole("img", { name: "Encrypted, and finn is confirmed" }).waitFor();
  await finn.page.getByRole("img", { name: "Encrypted, and emma is confirmed" }).waitFor();
  // What asked for it was no message.
  assert.equal(await finn.message("verif").count(), 0);
  await emma.open(roomId);
  await row(/^finn.*, confirmed$/).waitFor();
  await row(/^finn/).click();
  await card.getByText("Confirmed: you have compared pictures with finn.").waitFor();
  await assertAccessible(emma.page, "the card of somebody confirmed");
  assertCalm(emma, finn);
});

test("an encrypted picture is forwarded to several places, with its key and without a second upload", async () => {
  const gina = await world.person("gina");
  const hugo = await world.person("hugo");
  const secret = await gina.createRoom({ name: "vault", members: [hugo], isEncrypted: true });
  const open = await gina.createRoom({ name: "lobby", members: [hugo] });
  const also = await gina.createRoom({ name: "second vault", members: [hugo], isEncrypted: true });
  await gina.open(secret);
  const { page } = gina;
  const pixel =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  await page
    .locator("[data-composer-files]")
    .setInputFiles({ name: "plan.png", mimeType: "image/png", buffer: Buffer.from(pixel, "base64") });
  await page.getByRole("list", { name: "Attached files" }).getByRole("listitem").waitFor();
  await page.getByRole("textbox", { name: /^Message / }).press("Enter");
  const picture = gina.message("").filter({ has: page.getByRole("button", { name: /plan\.png/ }) });
  await picture.waitFor();

  const uploads = [];
  page.on("request", (request) => {
    if (request.url().includes("/upload")) uploads.push(request.url());
  });
  await picture.hover();
  await picture.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name: "Forward" }).click();
  const forward = dialog(page, "Forward message");
  for (const name of ["lobby", "second vault"]) {
    await forward.getByRole("searchbox").fill(name);
    await forward.getByRole("option", { name }).click();
  }
  await forward.getByText("This message was encrypted.").waitFor();
  await assertAccessible(page, "forwarding");
  await forward.getByRole("button", { name: "Forward", exact: true }).click();
  await page.getByText("Forwarded to 2 channels.").waitFor();
  for (const roomId of [open, also]) {
    await hugo.open(roomId);
    await hugo.page.getByRole("img", { name: /plan\.png/ }).waitFor();
  }
  assert.deepEqual(uploads, []);
  assertCalm(gina, hugo);
});

test("whoever lost everything starts over, confirms it by password, and gets a new recovery key", async () => {
  const { person: carla } = await firstSteps("carla");
  const lost = await secondBrowser(carla);
  const { page } = lost;
  await page.getByRole("button", { name: "Confirm", exact: true }).click();
  await page.getByRole("button", { name: "I have neither" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Start over" }).click();
  const who = dialog(page, "Is it you?");
  await who.getByLabel("Password").fill("not hers");
  await who.getByRole("button", { name: "Continue" }).click();
  await who.getByText("This password is wrong.").waitFor();
  await who.getByLabel("Password").fill(carla.account.password);
  await who.getByRole("button", { name: "Continue" }).click();
  await dialog(page, "Recovery key").getByRole("status", { name: "Your recovery key" }).waitFor();
  // The device from before has keys of yesterday.
  await carla.page.getByRole("button", { name: "Confirm", exact: true }).waitFor();
  assertCalm(lost);
});

test("the list of devices renames, confirms and ends another session", async () => {
  const { person: dora } = await firstSteps("dora");
  const other = await secondBrowser(dora);
  const { page } = dora;
  await page.goto(`${world.origin}/settings/sessions`);
  const list = page.getByRole("list", { name: "Your devices" });
  await list.getByText("This device").waitFor();
  // Two browsers, and the account's first client, which the operator made it with.
  await list.getByRole("listitem").nth(2).waitFor();
  const act = async (row, name) => {
    await row.getByRole("button", { name: /^Actions for/ }).click();
    await page.getByRole("menuitem", { name }).click();
  };
  const row = list.getByRole("listitem").filter({ hasText: "EchoRift in the browser" }).filter({
    hasNotText: "This device",
  });
  await act(row, "Rename");
  await list.getByRole("textbox", { name: "Name of this device" }).fill("The one in the kitchen");
  await list.getByRole("button", { name: "Save" }).press("Enter");
  const kitchen = list.getByRole("listitem").filter({ hasText: "The one in the kitchen" });
  await kitchen.getByText("Not confirmed").waitFor();
  await act(kitchen, "Confirm");
  await compare(
    dialog(page, "Compare with your other device"),
    dialog(other.page, "Compare with your other device"),
  );
  for (const side of [page, other.page]) await side.getByRole("button", { name: "Done" }).click();
  await kitchen.getByText("Confirmed", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Sign out all others" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Sign out all others" }).click();
  const who = dialog(page, "Is it you?");
  await who.getByLabel("Password").fill(dora.account.password);
  await who.getByRole("button", { name: "Continue" }).click();
  await other.page.waitForURL("**/login**");
  await list.getByRole("listitem").nth(1).waitFor({ state: "detached" });
  assert.equal(await list.getByRole("listitem").count(), 1);
  assertCalm(dora);
});

test("keys travel in a file, to a device that has nothing else", async () => {
  const { person: hanna } = await firstSteps("hanna");
  const roomId = await hanna.createRoom({ name: "archive", isEncrypted: true });
  await hanna.open(roomId);
  await hanna.say("kept for later");
  await hanna.message("kept for later").waitFor();
  const openFile = async ({ page }, action) => {
    await page.goto(`${world.origin}/settings/encryption`);
    await page.getByRole("region", { name: "Keys as a file" }).getByRole("button", { name: action }).click();
  };
  await openFile(hanna, "Save …");
  const save = dialog(hanna.page, "Save keys to a file");
  await save.getByLabel("Passphrase", { exact: true }).fill("under the doormat");
  await save.getByLabel("Passphrase again").fill("under the door");
  await save.getByText("The two do not match.").waitFor();
  await save.getByLabel("Passphrase again").fill("under the doormat");
  const download = hanna.page.waitForEvent("download");
  await save.getByRole("button", { name: "Save file" }).click();
  const file = await (await download).path();

  const laptop = await secondBrowser(hanna);
  await openFile(laptop, "Read …");
  const read = dialog(laptop.page, "Read keys from a file");
  const tries = async (files, passphrase) => {
    await read.locator("input[type=file]").setInputFiles(files);
    await read.getByLabel("Passphrase").fill(passphrase);
    await read.getByRole("button", { name: "Read keys" }).click();
  };
  await tries({ name: "cake.txt", mimeType: "text/plain", buffer: Buffer.from("flour") }, "sugar");
  await read.getByText("This is not a file of keys").waitFor();
  await tries(file, "under the pot");
  await read.getByText("The passphrase does not open this file.").waitFor();
  await assertAccessible(laptop.page, "reading keys");
  await tries(file, "under the doormat");
  await laptop.page.getByText("The keys were read.").waitFor();
  await laptop.open(roomId);
  await laptop.message("kept for later").waitFor();
  assertCalm(hanna, laptop);
});

test("an account whose backup is gone says so, and a new recovery key brings it back", async () => {
  const { person: ivan } = await firstSteps("ivan");
  const version = () => ivan.call("GET", "room_keys/version");
  const { version: old } = await version();
  await ivan.call("DELETE", `room_keys/version/${old}`);
  const { page } = ivan;
  await page.goto(`${world.origin}/settings/encryption`);
  const backup = page.getByRole("region", { name: "Backup" });
  await backup.getByText("on this device only").waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  const leave = page.getByRole("alertdialog");
  await leave.getByText("When you sign out, encrypted messages are lost.").waitFor();
  await leave.getByRole("button", { name: "Cancel" }).click();
  await backup.getByRole("button", { name: "Switch on …" }).click();
  const key = dialog(page, "Recovery key");
  await key.getByRole("button", { name: "Create a new one" }).click();
  await key.getByRole("button", { name: "Download" }).click();
  await key.getByRole("button", { name: "I have saved it" }).click();
  await backup.getByText("sealed with your recovery key").waitFor();
  assert.notEqual((await version()).version, old);
  assertCalm(ivan);
});
