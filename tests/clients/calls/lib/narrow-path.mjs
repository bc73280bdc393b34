// A slow network between a page and its SFUs. Chromium's own emulation does not touch WebRTC, and the system's traffic
// control wants privileges, so UDP is led through relays of ours, which forward no faster than they are told.

import { createSocket } from "node:dgram";
import { once } from "node:events";

/** What waits longer than this is dropped, as by a router whose queue is full. */
const QUEUE_MS = 300;

export class NarrowPath {
    /** Towards the page, in bits per second. */
    bitsPerSecond = Infinity;
    relays = new Map();
    sockets = [];

    /** Leads all pages of this browser context through relays; to be called before the first page opens. */
    async lead(context) {
        await context.exposeFunction("relayTo", (port) => this.relayTo(port));
        await context.addInitScript(leadThroughRelays);
    }

    /** The port of the relay to this port of an SFU. */
    relayTo(port) {
        if (!this.relays.has(port)) this.relays.set(port, this.start(port));
        return this.relays.get(port);
    }

    close() {
        for (const socket of this.sockets) socket.close();
    }

    async start(sfuPort) {
        const front = await this.bind();
        // By the page's port, so that the SFU sees as many peers as there are.
        const backs = new Map();
        front.on("message", async (packet, page) => {
            if (!backs.has(page.port)) backs.set(page.port, this.openBack(front, page));
            (await backs.get(page.port)).send(packet, sfuPort, "127.0.0.1");
        });
        return front.address().port;
    }

    async openBack(front, page) {
        const back = await this.bind();
        let isFreeAt = 0;
        back.on("message", (packet) => {
            const now = performance.now();
            const sentAt = Math.max(now, isFreeAt) + (packet.length * 8_000) / this.bitsPerSecond;
            if (sentAt - now > QUEUE_MS) return;
            isFreeAt = sentAt;
            setTimeout(() => this.forward(front, packet, page), sentAt - now);
        });
        return back;
    }

    forward(front, packet, { port, address }) {
        // The test may be over by now.
        if (this.sockets.includes(front)) front.send(packet, port, address);
    }

    async bind() {
        const socket = createSocket("udp4");
        this.sockets.push(socket);
        socket.once("close", () => this.sockets.splice(this.sockets.indexOf(socket), 1));
        socket.bind(0, "127.0.0.1");
        await once(socket, "listening");
        return socket;
    }
}

/**
 * Runs in the page: the SFU's candidates are changed for those of relays, and TCP, which has none, is left out. The
 * page's own candidates are kept to itself, or the SFU would come by the direct way.
 */
function leadThroughRelays() {
    const connection = RTCPeerConnection.prototype;
    const { addIceCandidate, createAnswer, createOffer, setRemoteDescription } = connection;
    Object.defineProperty(connection, "onicecandidate", { set() {} });
    for (const [name, create] of Object.entries({ createAnswer, createOffer })) {
        connection[name] = async function (options) {
            const { type, sdp } = await create.call(this, options);
            return { type, sdp: sdp.replaceAll(/^a=candidate:.*\r\n/gm, "") };
        };
    }
    const relayed = async (candidate) => {
        const [foundation, component, protocol, priority, address, port, ...rest] = candidate.split(" ");
        if (protocol.toLowerCase() !== "udp") return undefined;
        return [foundation, component, protocol, priority, address, await window.relayTo(Number(port)), ...rest].join(" ");
    };
    connection.addIceCandidate = async function (init) {
        if (!init?.candidate) return addIceCandidate.call(this, init);
        const candidate = await relayed(init.candidate);
        if (candidate) return addIceCandidate.call(this, { ...init, candidate });
    };
    connection.setRemoteDescription = async function (description) {
        const lines = [];
        for (const line of description.sdp.split("\r\n")) {
            const its = line.startsWith("a=candidate:") ? await relayed(line) : line;
            if (its !== undefined) lines.push(its);
        }
        return setRemoteDescription.call(this, { type: description.type, sdp: lines.join("\r\n") });
    };
}
