import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Tokens } from "./tokens";

const NOW = 1_000_000;
const credentials = {
  userId: "@anna:nordlicht.example",
  deviceId: "DEVICE",
  accessToken: "first",
  refreshToken: "refresh-1",
  expiresTs: NOW + 10_000,
};
const server = vi.fn<typeof fetch>();
const asked = () => server.mock.calls.map(([url]) => String(url));
const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
const authorization = (init: RequestInit | undefined) => new Headers(init?.headers).get("Authorization");

beforeEach(() => void vi.stubGlobal("fetch", server));
afterEach(() => {
  server.mockReset();
  vi.unstubAllGlobals();
});

function tokens(now = NOW) {
  return new Tokens(credentials, "https://chat.example", () => now);
}

function renewsThenAnswers() {
  server.mockImplementation(async (url) =>
    String(url).endsWith("/refresh")
      ? json(200, { access_token: "second", refresh_token: "refresh-2", expires_in_ms: 900_000 })
      : json(200, {}),
  );
}

const request = (of: Tokens) =>
  of.fetch("https://chat.example/x", { headers: { Authorization: "Bearer old" } });

test("a token that is about to end is renewed first, once for all who ask", async () => {
  renewsThenAnswers();
  const own = tokens();
  await Promise.all([request(own), request(own), request(own)]);
  expect(asked().filter((url) => url.endsWith("/refresh"))).toHaveLength(1);
  expect(own.current).toMatchObject({ accessToken: "second", refreshToken: "refresh-2" });
  const used = server.mock.calls
    .filter(([url]) => String(url).endsWith("/x"))
    .map(([, init]) => authorization(init));
  expect(used).toEqual(["Bearer second", "Bearer second", "Bearer second"]);
});

test("after an hour of sleep the first request renews", async () => {
  renewsThenAnswers();
  const own = tokens(NOW + 3_600_000);
  expect(await own.fresh()).toBe("second");
});

test("a refusal is answered by a renewal and one more try", async () => {
  let isRenewed = false;
  server.mockImplementation(async (url) => {
    if (String(url).endsWith("/refresh")) {
      isRenewed = true;
      return json(200, { access_token: "second" });
    }
    return isRenewed ? json(200, {}) : json(401, { errcode: "M_UNKNOWN_TOKEN" });
  });
  const own = new Tokens({ ...credentials, expiresTs: NOW + 900_000 }, "https://chat.example", () => NOW);
  expect((await request(own)).status).toBe(200);
});

test("a session that is over gets the refusal back, and a locked one is told of", async () => {
  server.mockImplementation(async () => json(401, { errcode: "M_UNKNOWN_TOKEN", soft_logout: true }));
  const own = tokens();
  expect((await request(own)).status).toBe(401);
  server.mockImplementation(async () => json(401, { errcode: "M_USER_LOCKED", soft_logout: true }));
  own.onLocked = vi.fn();
  await request(own);
  expect(own.onLocked).toHaveBeenCalled();
});

test("offline, the token at hand is tried all the same", async () => {
  server.mockImplementation(async (url) => {
    if (String(url).endsWith("/refresh")) throw new TypeError("offline");
    return json(200, {});
  });
  expect((await request(tokens())).status).toBe(200);
});
