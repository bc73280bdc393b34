// Signing in as Element X does it: by a real browser on the server's own pages, with the directory behind them.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { startCompany } from "./server.mjs";

const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const secret = () => randomBytes(32).toString("base64url");

/** Where the browser is sent with the code: a listener on this machine, as native clients have it. */
async function startReceiver() {
    let arrive;
    const arrived = new Promise((resolve) => (arrive = resolve));
    const server = createServer((request, response) => {
        const url = new URL(request.url, "http://127.0.0.1");
        if (url.pathname === "/callback") arrive(url.searchParams);
        response.end("You can close this page.");
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { uri: `http://127.0.0.1:${server.address().port}/callback`, arrived, close: () => server.close() };
}

async function post(url, fields) {
    const response = await fetch(url, { method: "POST", body: new URLSearchParams(fields) });
    return { status: response.status, body: await response.json().catch(() => ({})) };
}

/** What anybody needs who does not see the page. */
async function assertAccessible(page) {
    assert.equal(await page.locator("html").getAttribute("lang"), "en");
    assert.notEqual(await page.title(), "");
    for (const input of await page.locator("input:not([type=hidden])").all()) {
        const id = await input.getAttribute("id");
        assert.equal(await page.locator(`label[for="${id}"]`).count(), 1, `the input ${id} has no label`);
    }
}

for (const javaScriptEnabled of [false, true]) {
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
        const registration = await fetch(metadata.registration_endpoint, {
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
        const client = await registration.json();
        assert.equal(registration.status, 201, JSON.stringify(client));

        const [verifier, state] = [secret(), secret()];
        const device = `DEVICE${randomBytes(4).toString("hex")}`;
        const request = new URL(metadata.authorization_endpoint);
        request.search = new URLSearchParams({
            response_type: "code",
            response_mode: "query",
            client_id: client.client_id,
            redirect_uri: receiver.uri,
            scope: `urn:matrix:client:api:* urn:matrix:client:device:${device}`,
            state,
            code_challenge: createHash("sha256").update(verifier).digest("base64url"),
            code_challenge_method: "S256",
        });

        const context = await browser.newContext({ javaScriptEnabled, locale: "en-GB" });
        const page = await context.newPage();
        const complaints = [];
        page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
        await page.goto(request.href);
        await assertAccessible(page);

        await page.locator("#name").fill("anna.weber");
        await page.locator("#password").fill("not her password");
        await page.locator("button[type=submit]").first().click();
        await page.locator("[role=alert]").waitFor();
        // The refused form is answered with its status, which the console reports.
        complaints.length = 0;
        await page.locator("#name").fill("anna.weber");
        await page.locator("#password").fill("nordlicht-anna");
        await page.locator("button[type=submit]").first().click();

        const allow = page.locator("button[value=allow]");
        await allow.waitFor();
        await assertAccessible(page);
        const question = await page.locator("main").innerText();
        assert.match(question, /Story App/);
        assert.ok(question.includes(device), question);
        await allow.click();
        const answer = await receiver.arrived;
        assert.equal(answer.get("state"), state);
        assert.deepEqual(complaints, []);

        const exchange = { client_id: client.client_id, grant_type: "authorization_code", code: answer.get("code") };
        const forged = { ...exchange, redirect_uri: receiver.uri, code_verifier: secret() };
        assert.equal((await post(metadata.token_endpoint, forged)).body.error, "invalid_grant");
        const redeemed = await post(metadata.token_endpoint, {
            ...exchange,
            redirect_uri: receiver.uri,
            code_verifier: verifier,
        });
        assert.equal(redeemed.status, 200, JSON.stringify(redeemed.body));
        const me = await get("/_matrix/client/v3/account/whoami", redeemed.body.access_token);
        assert.deepEqual(
            { user_id: me.body.user_id, device_id: me.body.device_id },
            { user_id: "@anna.weber:nordlicht.example", device_id: device },
        );

        const refreshed = await post(metadata.token_endpoint, {
            client_id: client.client_id,
            grant_type: "refresh_token",
            refresh_token: redeemed.body.refresh_token,
        });
        const token = refreshed.body.access_token;
        assert.equal((await get("/_matrix/client/v3/account/whoami", token)).status, 200);

        // The person sees the session on the account's page, and the client ends it.
        await page.goto(metadata.account_management_uri);
        assert.match(await page.locator("main").innerText(), /Story App/);
        const end = { client_id: client.client_id, token, token_type_hint: "access_token" };
        assert.equal((await post(metadata.revocation_endpoint, end)).status, 200);
        assert.equal((await get("/_matrix/client/v3/account/whoami", token)).status, 401);
        await page.reload();
        assert.doesNotMatch(await page.locator("main").innerText(), /Story App/);
    });
}
