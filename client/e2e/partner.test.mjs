// Two companies: an invitation across, a conversation, and the marks that tell who is from elsewhere.

import { test } from "node:test";
import { companiesForTests, NAMES } from "./lib/companies.mjs";

const worlds = companiesForTests();

test("somebody of another company joins by invitation and is marked as such", async () => {
  const anna = await worlds[0].person("anna");
  const tom = await worlds[1].person("tom");
  const roomId = await anna.createRoom({ name: "gateway" });
  await anna.call("POST", `rooms/${encodeURIComponent(roomId)}/invite`, { user_id: tom.userId });
  await tom.call("POST", `join/${encodeURIComponent(roomId)}?via=${NAMES[0]}`, {});
  await anna.open(roomId);
  await tom.open(roomId);
  await tom.say("The gateway accepts the new handshake.");
  const message = anna.message("The gateway accepts");
  await message.waitFor();
  await message.getByText("helios.example").first().waitFor();
  await anna.say("Thank you!");
  await tom.message("Thank you!").waitFor();
});
