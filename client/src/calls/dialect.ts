// How this client speaks MatrixRTC: membership as room state, tokens from the service beside the SFU ("compatibility",
// what Element Call does), and every dialect read.

import type { MatrixClient } from "matrix-js-sdk/lib/matrix";
import * as v from "valibot";

/** An SFU as `/rtc/transports` and memberships name it. */
export interface LivekitTransport {
  type: "livekit";
  livekit_service_url: string;
  [key: string]: unknown;
}

const Token = v.object({ url: v.string(), jwt: v.string() });
export type SfuToken = v.InferOutput<typeof Token>;

/** Why there is no token; `status` is the service's answer. */
export class TokenError extends Error {
  constructor(readonly status: number) {
    super(`the SFU's service answered ${status}`);
  }
}

function isLivekit(transport: { type: string }): transport is LivekitTransport {
  return (
    transport.type === "livekit" &&
    "livekit_service_url" in transport &&
    typeof transport.livekit_service_url === "string"
  );
}

/** Where this client publishes: the first SFU that its homeserver offers. */
export async function ownTransport(client: MatrixClient): Promise<LivekitTransport | undefined> {
  return (await client._unstable_getRTCTransports()).find(isLivekit);
}

/** A token for the SFU; with `delay` the service looks after our delayed leave from now on. */
export async function sfuToken(
  client: MatrixClient,
  roomId: string,
  transport: LivekitTransport,
  delay?: { delay_id: string; delay_timeout: number },
): Promise<SfuToken> {
  const openid_token = await client.getOpenIdToken();
  const response = await fetch(`${transport.livekit_service_url}/sfu/get`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ room: roomId, openid_token, device_id: client.getDeviceId(), ...delay }),
  });
  if (!response.ok) throw new TokenError(response.status);
  return v.parse(Token, await response.json());
}

/** Whether the service of this SFU may be asked to send our leave when the SFU loses us. */
export async function delegatesLeave(client: MatrixClient, transport: LivekitTransport): Promise<boolean> {
  const service = new URL(transport.livekit_service_url, client.baseUrl);
  const isOurs = service.host === new URL(client.baseUrl).host;
  return isOurs && (await client.doesServerSupportUnstableFeature("org.matrix.msc4140").catch(() => false));
}
