// The three dialects of MatrixRTC that clients speak, in one call.

import { allAreMembers, allHearAndSee } from "./lib/media.mjs";
import { stageOf, story } from "./lib/stage.mjs";

const stage = stageOf();

story(stage, "people of all three dialects meet in one call", async () => {
    const dialects = ["compatibility", "matrix_2_0", "homeserver"];
    const people = await Promise.all(dialects.map((dialect) => stage.person(dialect.slice(0, 6))));
    const room = await people[0].createRoom(people.slice(1));
    await Promise.all(people.map((person, i) => person.join(room, { dialect: dialects[i] })));
    await allAreMembers(people);
    await allHearAndSee(people);
    while (people.length > 1) {
        await people.pop().hangUp();
        await allAreMembers(people);
    }
});

story(stage, "an encrypted room's sticky memberships bring the keys together", async () => {
    const people = [await stage.person("alice"), await stage.person("bob")];
    const room = await people[0].createRoom(people.slice(1), { isEncrypted: true });
    await Promise.all(people.map((person) => person.join(room, { dialect: "matrix_2_0", isEncrypted: true })));
    await allAreMembers(people);
    await allHearAndSee(people);
});
