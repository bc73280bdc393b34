// Two companies: an invitation across, a conversation, and the marks that tell who is from elsewhere.

import { after, before, test } from "node:test";
import { Authority } from "../../tests/clients/lib/authority.mjs";
import { otherDatabase } from "../../tests/clients/lib/database.mjs";
import { freePort } from "../../tests/clients/lib/processes.mjs";
import { World } from "./lib/world.mjs";

const NAMES = ["nordlicht.example", "helios.example"];
const worlds = [new World(), new World()];

before(async () => {
  const authority = await Authority.found();
  const ports = [await freePort(), await freePort()];
  const hosts = Object.fromEntries(NAMES.map((name, index) => [name, `127.0.0.1:${ports[index]}`]));
  for (const [index, name] of NAMES.entries()) {
    const { certificate, key } = await authority.certify(name);
    await worlds[index].open({
      name,
      // Where it can be, each stands on another kind of database.
      database: index === 0 ? undefined : otherDatabase(),
      settings: {
        federation: { hosts },
        outbound: { extra_ca_files: [authority.file], denied_ip_ranges: [] },
      },
      listeners: [
        {
          address: `127.0.0.1:${ports[index]}`,
          serves: ["federation", "media"],
          tls: true,
          tls_certificate: certificate,
          tls_private_key: key,
        },
      ],
    });
  }
});
after(async () => {
  for (const world of worlds) await world.close();
});

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
