// What the tests call in a page: `window.person`.

import { Track } from "livekit-client";
import type { MatrixClient } from "matrix-js-sdk";
import { type Account, signIn } from "./account";
import { Call, type CallOptions } from "./call";
import { pitchOf } from "./pitch";
import { type Report, reportOf } from "./report";
import { type Arrivals, watchArrivals } from "./watch";


let client: MatrixClient;
let call: Call | undefined;
let arrivals: Arrivals | undefined;

const current = (): Call => {
    if (!call) throw new Error("there is no call");
    return call;
};

const person = {
    async signIn(account: Account): Promise<void> {
        client = await signIn(account);
    },

    /** Whether this client has seen itself join the room, and everybody named as well. */
    sees(roomId: string, userIds: string[]): boolean {
        const room = client.getRoom(roomId);
        return userIds.every((userId) => room?.getMember(userId)?.membership === "join");
    },

    async join(options: CallOptions): Promise<void> {
        call = await Call.join(client, options);
    },

    async hangUp(): Promise<void> {
        await current().hangUp();
        call = undefined;
    },

    publish: () => current().own.publish(),

    mute: (source: "microphone" | "camera", isMuted: boolean) =>
        current().mute(source === "camera" ? Track.Source.Camera : Track.Source.Microphone, isMuted),

    shareScreen: (isShared: boolean) => current().own.shareScreen(isShared),

    /** Makes somebody's tiles as wide as this, in pixels. */
    resizeTiles(userId: string, width: number): void {
        const identity = current().session.memberships.find((member) => member.userId === userId)?.rtcBackendIdentity;
        for (const sfu of current().connections) sfu.resizeTiles(identity ?? "", width);
    },

    /** Begins to note when media of this person arrives; `arrivals()` tells it. */
    watch(userId: string): void {
        arrivals = watchArrivals(current(), userId);
    },

    arrivals: (): Arrivals | undefined => arrivals,

    /** The loudest frequency that this participant's microphone carries, in hertz. */
    async pitch(identity: string): Promise<number> {
        for (const { room } of current().connections) {
            const participant = room.remoteParticipants.get(identity);
            const track = participant?.getTrackPublication(Track.Source.Microphone)?.track;
            if (track) return pitchOf(track.mediaStreamTrack);
        }
        throw new Error(`nothing is heard of ${identity}`);
    },

    report: (): Promise<Report> => reportOf(current()),
};

declare global {
    interface Window {
        person: typeof person;
    }
}

window.person = person;
