// Somebody whose client shows calls by Element Call.

import { Person } from "./person.mjs";
import { until } from "../../lib/until.mjs";

const FRAMES_MIN = 30;

export class ElementCallUser extends Person {
    static page = "element-call";
    static handle = "host";
    /** What the page and Element Call asked of servers and were answered: path, body, status. */
    requests = [];

    async prepare() {
        this.page.on("response", (response) => {
            const request = response.request();
            const { pathname } = new URL(request.url());
            this.requests.push({ pathname, body: request.postData() ?? "", status: response.status() });
        });
        await this.page.addInitScript(keepPeerConnections);
    }

    /** Opens Element Call in the room's call; it joins by itself. */
    open(roomId) {
        return this.ask("open", roomId);
    }

    /** What arrives within Element Call, of all others together: bytes of audio, decoded frames of video. */
    async received() {
        const widget = this.page.frames().find((frame) => frame.url().includes("/element-call/"));
        return widget.evaluate(async () => {
            const sum = { audioBytes: 0, frames: 0 };
            for (const connection of window.peerConnections) {
                for (const stats of (await connection.getStats()).values()) {
                    if (stats.type !== "inbound-rtp") continue;
                    if (stats.kind === "audio") sum.audioBytes += stats.bytesReceived;
                    sum.frames += stats.framesDecoded ?? 0;
                }
            }
            return sum;
        });
    }

    /** Waits until audio and video arrive and still do. */
    async hearsAndSees() {
        const arrives = ({ audioBytes, frames }) => audioBytes > 0 && frames > FRAMES_MIN;
        const before = await until("Element Call hears and sees", () => this.received(), arrives);
        await until("Element Call hears and sees, on and on", () => this.received(), ({ audioBytes, frames }) => {
            return audioBytes > before.audioBytes && frames > before.frames;
        });
    }
}

/** Runs in the page: Element Call has no words for what arrives, so its connections are kept to be asked. */
function keepPeerConnections() {
    window.peerConnections = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(configuration) {
            super(configuration);
            window.peerConnections.push(this);
        }
    };
}
