// A directory and a server of a test's own: the real binaries, on free ports, with temporary data.

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const RUN_SLAPD = fileURLToPath(new URL("../../fixtures/ldap/run-slapd", import.meta.url));

/** Starts OpenLDAP with the sample company and a server whose people come from it. `stop()` ends and removes both. */
export async function startCompany() {
    const binary = process.env.ECHORIFT_BIN;
    if (!binary) throw new Error("ECHORIFT_BIN is to name the server's binary: cargo build -p echorift");
    const folder = await mkdtemp(join(tmpdir(), "echorift-js-"));
    const directory = spawn(RUN_SLAPD, [join(folder, "ldap"), "--until-stdin-closes"], {
        stdio: ["pipe", "pipe", "inherit"],
    });
    const facts = JSON.parse(await lineWith(directory, "ldap://"));

    const configuration = join(folder, "echorift.toml");
    const port = await freePort();
    await writeFile(configuration, settings(folder, port, facts));
    const server = spawn(binary, ["serve", "--config", configuration], { stdio: ["ignore", "pipe", "inherit"] });
    const greeting = await lineWith(server, "answers on http://");

    return {
        baseUrl: greeting.slice(greeting.indexOf("http://")),
        async stop() {
            await ended(server, () => server.kill("SIGTERM"));
            await ended(directory, () => directory.stdin.end());
            await rm(folder, { recursive: true, force: true });
        },
    };
}

function settings(folder, port, facts) {
    // Texts are written alike in JSON and TOML.
    const text = JSON.stringify;
    return `
[server]
name = "nordlicht.example"
public_base_url = "http://127.0.0.1:${port}"
data_dir = ${text(folder)}
[[listener]]
address = "127.0.0.1:${port}"
serves = ["client", "web", "health"]
[rate_limits]
enabled = false
[calls.livekit]
mode = "off"
[directory]
urls = [${text(facts.ldaps)}]
ca_file = ${text(facts.ca_file)}
bind_dn = ${text(facts.bind_dn)}
bind_password = ${text(facts.bind_password)}
base_dn = ${text(facts.people_dn)}
user_filter = "(&(objectClass=inetOrgPerson)(uid={username}))"
`;
}

/** A port that nobody listens on: the server has to know its own address before it starts. */
export function freePort() {
    return new Promise((resolve, reject) => {
        const probe = createServer().once("error", reject);
        probe.listen(0, "127.0.0.1", () => {
            const { port } = probe.address();
            probe.close(() => resolve(port));
        });
    });
}

/** The first line of the process's output that holds `part`; fails if the process ends before. */
function lineWith(process, part) {
    return new Promise((resolve, reject) => {
        process.once("error", reject);
        process.once("exit", (code) => reject(new Error(`${process.spawnfile} ended with ${code}`)));
        createInterface({ input: process.stdout }).on("line", (line) => {
            if (line.includes(part)) resolve(line.trim());
        });
    });
}

function ended(process, end) {
    return new Promise((resolve) => {
        if (process.exitCode !== null) return resolve();
        process.once("exit", resolve);
        end();
    });
}
