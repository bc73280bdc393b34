// When did media arrive? Looked at within the page, because a test that asks from outside would be late itself.

import type { Call } from "./call";

const EVERY_MS = 50;

export interface Arrivals {
    /** When something last arrived, in milliseconds since the epoch; 0 if nothing did. */
    last: number;
    /** The longest time without anything, until then. */
    longestGapMs: number;
}

/** Looks from now on at what arrives of this member, for as long as the page lives. The result changes with it. */
export function watchArrivals(call: Call, userId: string): Arrivals {
    const identity = call.session.memberships.find((member) => member.userId === userId)?.rtcBackendIdentity;
    const arrivals: Arrivals = { last: 0, longestGapMs: 0 };
    // What is no longer subscribed keeps its receiver, and might still be fed.
    const bytes = new Map<RTCRtpReceiver, number>();
    const look = async () => {
        for (const { participant, publication } of call.connections.flatMap((sfu) => sfu.publications())) {
            const receiver = publication.track?.receiver;
            if (participant.identity === identity && receiver && !bytes.has(receiver)) bytes.set(receiver, 0);
        }
        for (const [receiver, before] of bytes) {
            const stats = [...(await receiver.getStats()).values()].find(({ type }) => type === "inbound-rtp");
            const now = stats?.bytesReceived ?? 0;
            if (now > before) {
                bytes.set(receiver, now);
                arrive(arrivals, Date.now());
            }
        }
        setTimeout(look, EVERY_MS);
    };
    void look();
    return arrivals;
}

function arrive(arrivals: Arrivals, now: number): void {
    if (arrivals.last > 0) arrivals.longestGapMs = Math.max(arrivals.longestGapMs, now - arrivals.last);
    arrivals.last = now;
}
