// A database for one server.

import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";

/** By their names, the ones that were made in PostgreSQL and are still there. */
const made = new Map();

process.once("exit", () => {
    for (const [name, admin] of made) execFileSync("psql", statement(admin, dropping(name)), { stdio: "ignore" });
});

/** In the server's folder, or in the PostgreSQL of the tests; of the kind that is usual in this run unless it is named. */
export async function createDatabase(folder, kind = process.env.ECHORIFT_TEST_DATABASE ?? "sqlite") {
    if (kind === "sqlite") return { url: `sqlite:${join(folder, "echorift.db")}`, drop: async () => {} };
    if (kind !== "postgres") throw new Error(`ECHORIFT_TEST_DATABASE is sqlite or postgres, not ${kind}`);
    const admin = process.env.ECHORIFT_TEST_POSTGRES;
    if (!admin) throw new Error("ECHORIFT_TEST_POSTGRES is to hold an administrator's URL, postgres://user@host/database");
    const name = `calls_${randomBytes(6).toString("hex")}`;
    await promisify(execFile)("psql", statement(admin, `CREATE DATABASE ${name}`));
    made.set(name, admin);
    const drop = async () => {
        await promisify(execFile)("psql", statement(admin, dropping(name)));
        made.delete(name);
    };
    return { url: new URL(name, admin).href, drop };
}

/** The kind that is not usual in this run, where there is a PostgreSQL at all. */
export function otherDatabase() {
    const isUsual = (process.env.ECHORIFT_TEST_DATABASE ?? "sqlite") === "sqlite";
    return isUsual && process.env.ECHORIFT_TEST_POSTGRES ? "postgres" : "sqlite";
}

const statement = (url, text) => ["--quiet", url, "--command", text];
const dropping = (name) => `DROP DATABASE ${name} WITH (FORCE)`;
