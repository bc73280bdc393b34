// What arrives: conditions on the reports of pages.

import { until } from "../../lib/until.mjs";

const FRAMES_MIN = 30;
/** Audio comes every 20 ms, or with silence at least every 400. */
const SILENCE_MS = 2_000;

/** What this person receives of another: their microphone, camera, screen. */
export const of = (report, other, source) =>
    report.received.find(({ userId, source: its }) => userId === other.userId && its === source);

/** Waits until these are in the call and nobody else, as each of them sees it, or those who are said to look. */
export async function allAreMembers(people, { seenBy = people, patienceMs } = {}) {
    const idsOf = (members) => String(members.map(({ userId }) => userId).sort());
    const isComplete = ({ members }) => idsOf(members) === idsOf(people);
    for (const person of seenBy) {
        await until(`${person.name} counts ${people.length} members`, () => person.report(), isComplete, patienceMs);
    }
}

/** Waits until audio and video of the other arrive, and still do: bytes grow, and frames are decoded. */
export async function hearsAndSees(person, other, patienceMs = 60_000) {
    const both = (report) => ["microphone", "camera"].map((source) => of(report, other, source));
    const what = `${person.name} hears and sees ${other.name}`;
    const before = await until(what, () => person.report(), (report) => {
        const [audio, video] = both(report);
        return audio?.isSubscribed && audio.bytes > 0 && video?.isSubscribed && video.frames > FRAMES_MIN;
    }, patienceMs);
    const [audio, video] = both(before);
    await until(`${what}, on and on`, () => person.report(), (report) => {
        const [laterAudio, laterVideo] = both(report);
        return laterAudio?.bytes > audio.bytes && laterVideo?.frames > video.frames;
    }, patienceMs);
}

/** Waits until everybody receives audio and video of everybody else. */
export async function allHearAndSee(people, patienceMs) {
    for (const person of people) {
        for (const other of people) if (other !== person) await hearsAndSees(person, other, patienceMs);
    }
}

/** Waits until nothing more arrives of whom this person watches; how many milliseconds after `since` the last came. */
export async function mediaStops(person, since) {
    const arrivals = () => person.ask("arrivals");
    await until(`${person.name} receives no more`, arrivals, ({ last }) => Date.now() - last > SILENCE_MS);
    return (await arrivals()).last - since;
}
