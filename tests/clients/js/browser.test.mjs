// Signing in as Element X does it: by a real browser on the server's own pages, with the directory behind them.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { startCompany } from "./server.mjs";

const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const USER_ID = "@anna.weber:nordlicht.example";
const WHOAMI = "/_matrix/client/v3/account/whoami";
// What a browser's script alone can read; it tells the listener, as a web app would tell its server.
const TELL_FRAGMENT = `<!doctype html><title>App</title><script>fetch("/told?" + location.hash.slice(1))</script>`;
const secret = () => randomBytes(32).toString("base64url");

/** Where the browser is sent with the code: a listener on this machine, as native clients have it. */
async function startReceiver() {
    const answers = [];
    const waiting = [];
    const arrive = (answer) => (waiting.length > 0 ? waiting.shift()(answer) : answers.push(answer));
    const server = createServer((request, response) => {
        const { pathname, searchParams } = new URL(request.url, "http://127.0.0.1");
        if (pathname === "/told") arrive({ mode: "fragment", fields: searchParams });
        if (pathname === "/callback" && searchParams.size > 0) arrive({ mode: "query", fields: searchParams });
        response.setHeader("content-type", "text/html");
        response.end(pathname === "/callback" ? TELL_FRAGMENT : "");
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
        uri: `http://127.0.0.1:${server.address().port}/callback`,
        next: () => (answers.length > 0 ? answers.shift() : new Promise((resolve) => waiting.push(resolve))),
        close() {
            server.close();
            server.closeAllConnections();
        },
    };
}

async function post(url, fields) {
    const response = await fetch(url, { method: "POST", body: new URLSearchParams(fields) });
    return { status: response.status, body: await response.json().catch(() => ({})) };
}

/** What anybody needs who does not see the page. */
async function assertAccessible(page) {
    assert.equal(await page.locator("html").getAttribute("lang"), "en");
    assert.equal(await page.locator("main").count(), 1);
    const heading = await page.locator("h1").innerText();
    assert.equal(await page.title(), `${heading} · nordlicht.example`);
    for (const input of await page.locator("input:not([type=hidden])").all()) {
        const id = await input.getAttribute("id");
        assert.equal(await page.locator(`label[for="${id}"]`).count(), 1, `the input ${id} has no label`);
    }
    for (const button of await page.locator("button").all()) assert.notEqual(await button.innerText(), "");
}

/** An app that registers itself and asks for codes, with a verifier of its own each time. */
class App {
    constructor(metadata, redirectUri) {
        this.metadata = metadata;
        this.redirectUri = redirectUri;
    }

    async register() {
        const response = await fetch(this.metadata.registration_endpoint, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({
                client_name: "Story App",
                client_uri: "https://story.example/",
                // The port of a native client is its system's choice.
                redirect_uris: ["http://127.0.0.1/callback"],
                application_type: "native",
                token_endpoint_auth_method: "none",
                response_types: ["code"],
                grant_types: ["authorization_code", "refresh_token"],
            }),
        });
        const client = await response.json();
        assert.equal(response.status, 201, JSON.stringify(client));
        this.id = client.client_id;
    }

    /** A question for a device of a new name: where to send the browser, and what to keep until it comes back. */
    ask(mode) {
        const [verifier, state] = [secret(), secret()];
        const device = `DEVICE${randomBytes(4).toString("hex")}`;
        const url = new URL(this.metadata.authorization_endpoint);
        url.search = new URLSearchParams({
            response_type: "code",
            response_mode: mode,
            client_id: this.id,
            redirect_uri: this.redirectUri,
            scope: `urn:matrix:client:api:* urn:matrix:client:device:${device}`,
            state,
            code_challenge: createHash("sha256").update(verifier).digest("base64url"),
            code_challenge_method: "S256",
        });
        return { url: url.href, verifier, state, device, mode };
    }

    /** Takes what the browser brought, and changes the code for tokens. */
    async redeem(asked, answer) {
        assert.equal(answer.mode, asked.mode);
        assert.equal(answer.fields.get("state"), asked.state);
        const code = {
            grant_type: "authorization_code",
            code: answer.fields.get("code"),
            redirect_uri: this.redirectUri,
        };
        const forged = await this.token({ ...code, code_verifier: secret() });
        assert.deepEqual([forged.status, forged.body.error], [400, "invalid_grant"]);
        const redeemed = await this.token({ ...code, code_verifier: asked.verifier });
        assert.equal(redeemed.status, 200, JSON.stringify(redeemed.body));
        return redeemed.body;
    }

    token(fields) {
        return post(this.metadata.token_endpoint, { client_id: this.id, ...fields });
    }

    refresh(tokens) {
        return this.token({ grant_type: "refresh_token", refresh_token: tokens.refresh_token });
    }
}

for (const [javaScriptEnabled, mode] of [[false, "query"], [true, "fragment"]]) {
    const how = javaScriptEnabled ? "with" : "without";
    await test(`an employee signs in by browser, ${how} JavaScript`, { timeout: 120_000 }, async (t) => {
        const executablePath = BROWSERS.find(existsSync);
        assert.ok(executablePath, "Chromium is missing: apt-get install chromium");
        const company = await startCompany();
        t.after(() => company.stop());
        const receiver = await startReceiver();
        t.after(() => receiver.close());
        const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
        const browser = await chromium.launch({ executablePath, args });
        t.after(() => browser.close());

        const get = async (path, token) => {
            const headers = token ? { authorization: `Bearer ${token}` } : {};
            const response = await fetch(company.baseUrl + path, { headers });
            return { status: response.status, body: await response.json() };
        };
        const { body: metadata } = await get("/_matrix/client/v1/auth_metadata");
        assert.equal(new URL(metadata.issuer).origin, new URL(company.baseUrl).origin);
        const app = new App(metadata, receiver.uri);
        await app.register();

        const context = await browser.newContext({ javaScriptEnabled, locale: "en-GB" });
        const page = await context.newPage();
        const complaints = [];
        page.on("pageerror", (error) => complaints.push(String(error)));
        page.on("console", (message) => {
            // The form that is refused on purpose: the console reports its status.
            const { url } = message.location();
            const isRefusal = url === `${company.baseUrl}/oauth2/login` && /\b403\b/.test(message.text());
            if (["error", "warning"].includes(message.type()) && !isRefusal) complaints.push(message.text());
        });
        const logIn = async (password) => {
            await page.getByLabel("User name").fill("anna.weber");
            await page.getByLabel("Password").fill(password);
            await page.getByRole("button", { name: "Log in" }).click();
        };
        const main = () => page.locator("main").innerText();
        const heading = (name) => page.getByRole("heading", { level: 1, name }).waitFor();
        /** Allows what was asked for on the page that is open. */
        const consent = async (asked) => {
            await heading("Allow access?");
            await assertAccessible(page);
            const question = await main();
            for (const part of ["Story App", "story.example", USER_ID, asked.device]) {
                assert.ok(question.includes(part), `${part} is missing: ${question}`);
            }
            await page.getByRole("button", { name: "Allow" }).click();
            return app.redeem(asked, await receiver.next());
        };

        const asked = app.ask(mode);
        let tokens;

        await t.test("a wrong password is named", async () => {
            await page.goto(asked.url);
            await heading("Log in");
            await assertAccessible(page);
            await logIn("not her password");
            const alert = page.getByRole("alert");
            await alert.waitFor();
            assert.equal(await alert.innerText(), "The user name or the password is wrong.");
            assert.equal(await page.getByLabel("Password").inputValue(), "");
            await assertAccessible(page);
        });

        await t.test("the right one leads by the question to tokens that work", async () => {
            await logIn("nordlicht-anna");
            tokens = await consent(asked);
            const me = await get(WHOAMI, tokens.access_token);
            assert.deepEqual([me.status, me.body.user_id, me.body.device_id], [200, USER_ID, asked.device]);
        });

        await t.test("the app refreshes and revokes its tokens", async () => {
            const refreshed = await app.refresh(tokens);
            assert.equal(refreshed.status, 200, JSON.stringify(refreshed.body));
            assert.notEqual(refreshed.body.access_token, tokens.access_token);
            const me = await get(WHOAMI, refreshed.body.access_token);
            assert.deepEqual([me.status, me.body.device_id], [200, asked.device]);

            const { status } = await post(metadata.revocation_endpoint, {
                client_id: app.id,
                token: refreshed.body.access_token,
                token_type_hint: "access_token",
            });
            assert.equal(status, 200);
            assert.equal((await get(WHOAMI, refreshed.body.access_token)).status, 401);
            assert.equal((await app.refresh(refreshed.body)).body.error, "invalid_grant");
        });

        await t.test("the account page shows a session and ends it", async () => {
            // The browser is still signed in: only the question remains.
            const again = app.ask(mode);
            await page.goto(again.url);
            tokens = await consent(again);
            assert.equal((await get(WHOAMI, tokens.access_token)).status, 200);

            await page.goto(metadata.account_management_uri);
            await heading("Your account");
            await assertAccessible(page);
            // One alone: the session that was revoked is gone.
            await page.getByRole("link", { name: "Story App" }).click();
            await page.getByRole("link", { name: "Log this device out" }).click();
            await heading("Log a device out?");
            await assertAccessible(page);
            assert.ok((await main()).includes(again.device));
            await page.getByRole("button", { name: "Log this device out" }).click();
            await heading("Your account");
            assert.match(await main(), /You are logged in on no device\./);
            assert.equal((await get(WHOAMI, tokens.access_token)).status, 401);
            assert.equal((await app.refresh(tokens)).body.error, "invalid_grant");
        });

        // Among them would be what the pages' content security policy forbids.
        assert.deepEqual(complaints, []);
    });
}
