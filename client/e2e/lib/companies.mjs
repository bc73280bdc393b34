// Two companies whose servers federate, each with people of its own.

import { after, before } from "node:test";
import { Authority } from "../../../tests/clients/lib/authority.mjs";
import { otherDatabase } from "../../../tests/clients/lib/database.mjs";
import { freePort } from "../../../tests/clients/lib/processes.mjs";
import { World } from "./world.mjs";

export const NAMES = ["nordlicht.example", "helios.example"];

/** Opens a world for each of them for the tests of this file, and ends both after them; `options` as of a world. */
export function companiesForTests({ settings = {}, ...options } = {}) {
  const worlds = NAMES.map(() => new World());
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
          ...settings,
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
        ...options,
      });
    }
  });
  after(async () => {
    for (const world of worlds) await world.close();
  });
  return worlds;
}
