// A Chromium with a camera and a microphone that do not exist.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** A browser whose devices are fake, whose questions answer themselves, and whose pages never rest. */
export async function startBrowser() {
    const executablePath = BROWSERS.find(existsSync);
    assert.ok(executablePath, "Chromium is missing: apt-get install chromium");
    return chromium.launch({
        executablePath,
        args: [
            ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            "--autoplay-policy=no-user-gesture-required",
            // Pages behind others go on as if they were seen.
            "--disable-backgrounding-occluded-windows",
            "--disable-renderer-backgrounding",
            "--disable-background-timer-throttling",
            // Addresses instead of names that only multicast would resolve.
            "--disable-features=WebRtcHideLocalIpsWithMdns",
        ],
    });
}
