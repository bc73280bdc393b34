// Five people in one call.

import { allAreMembers, allHearAndSee } from "./lib/media.mjs";
import { stageOf, story } from "./lib/stage.mjs";

const stage = stageOf();
/** One machine encodes five pictures and decodes twenty. */
const TINY = { width: 160, height: 90, frameRate: 5 };

story(stage, "each of five people hears and sees the four others", async () => {
    const people = [];
    for (const name of ["alice", "bob", "carol", "dave", "erin"]) people.push(await stage.person(name));
    const room = await people[0].createRoom(people.slice(1));
    for (const person of people) await person.join(room, { capture: TINY, tileWidth: 160 });
    await allAreMembers(people);
    await allHearAndSee(people, 90_000);
});
