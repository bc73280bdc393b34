// Waiting for a condition, and saying what was there instead when it does not come.

import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE_MS = 30_000;
const PAUSE_MS = 200;

/**
 * Looks until `accepts(seen)` is true, and gives what was seen then.
 * A failure to look counts as not yet; what was seen last is told when patience ends.
 */
export async function until(what, look, accepts = Boolean, patienceMs = PATIENCE_MS) {
    const deadline = Date.now() + patienceMs;
    for (;;) {
        let seen;
        try {
            seen = await look();
            if (accepts(seen)) return seen;
        } catch (error) {
            seen = error;
        }
        if (Date.now() > deadline) {
            const last = seen instanceof Error ? seen.stack : JSON.stringify(seen, null, 1);
            throw new Error(`waited ${patienceMs} ms in vain: ${what}\nseen last: ${last}`);
        }
        await sleep(PAUSE_MS);
    }
}
