// Debian's Chromium, with devices that do not exist and questions that answer themselves.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export function startBrowser({ args = [] } = {}) {
  const executablePath = BROWSERS.find(existsSync);
  assert.ok(executablePath, "Chromium is missing: apt-get install chromium");
  return chromium.launch({
    executablePath,
    args: [
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--disable-gpu",
      "--disable-quic",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      "--autoplay-policy=no-user-gesture-required",
      // Pages behind others go on as if they were seen.
      "--disable-backgrounding-occluded-windows",
      "--disable-renderer-backgrounding",
      "--disable-background-timer-throttling",
      // Addresses instead of names that only multicast would resolve.
      "--disable-features=WebRtcHideLocalIpsWithMdns",
      ...args,
    ],
  });
}
