// Processes and folders of a test: gone with the test.

import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const LINES_KEPT = 200;
const started = new Set();
const folders = new Set();
const marks = new Set();

// A test run that is cut short leaves nothing behind.
process.once("exit", () => {
    for (const child of started) child.kill("SIGKILL");
    for (const mark of marks) endProcessWith(mark);
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
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

/** The process that has this in its environment, if there is one. */
export function processWith(mark) {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).find((pid) => {
        try {
            return readFileSync(`/proc/${pid}/environ`, "utf8").includes(mark);
        } catch {
            // It has ended, or is not ours.
            return false;
        }
    });
}

/** A child of a child may outlive its parent, but not the run. */
export function endAtExit(mark) {
    marks.add(mark);
}

export function endProcessWith(mark) {
    const pid = processWith(mark);
    if (pid !== undefined) process.kill(pid, "SIGKILL");
}

/** A new folder, which goes with the run. */
export function temporaryFolder(name) {
    const folder = mkdtempSync(join(tmpdir(), `${name}-`));
    folders.add(folder);
    return folder;
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
