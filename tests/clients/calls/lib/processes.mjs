// Processes of a test: started, listened to, and gone with the test.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

const LINES_KEPT = 200;
const started = new Set();

// A test run that is cut short leaves nothing behind.
process.once("exit", () => started.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

/** A process with its newest lines of output, and `line(part)` to wait for one of standard output. */
export function run(command, args, options = {}) {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], ...options });
    const lines = [];
    const waiting = new Set();
    started.add(child);
    const hasEnded = new Promise((resolve) => child.once("close", resolve));
    hasEnded.then(() => started.delete(child));
    for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on("line", (line) => {
            lines.push(line);
            if (lines.length > LINES_KEPT) lines.shift();
            for (const look of waiting) look(line);
        });
    }
    return {
        child,
        lines,
        hasEnded,
        /** The next line that holds `part`; fails if the process ends before. */
        line(part) {
            return new Promise((resolve, reject) => {
                const fail = () => reject(new Error(`${command} ended before it said '${part}':\n${lines.join("\n")}`));
                waiting.add(function look(line) {
                    if (!line.includes(part)) return;
                    waiting.delete(look);
                    resolve(line.trim());
                });
                child.once("error", reject);
                hasEnded.then(fail);
            });
        },
        /** Ends it by this signal and waits until it is gone. */
        async end(signal) {
            if (child.exitCode === null && child.signalCode === null) child.kill(signal);
            await hasEnded;
        },
    };
}

/** A port that nobody listens on. */
export function freePort() {
    return new Promise((resolve, reject) => {
        const probe = createServer().once("error", reject);
        probe.listen(0, "127.0.0.1", () => {
            const { port } = probe.address();
            probe.close(() => resolve(port));
        });
    });
}
