// The ways in which clients speak MatrixRTC with a server on LiveKit: how a membership is told, and where the tokens for
// an SFU come from.

import { Method, type MatrixClient } from "matrix-js-sdk";

/**
 * - `compatibility`: membership as room state, tokens of `/sfu/get`. What Element does today.
 * - `matrix_2_0`: membership as sticky event, tokens of `/get_token`.
 * - `homeserver`: membership as sticky event, tokens of the own homeserver (MSC4195).
 */
export type Dialect = "compatibility" | "matrix_2_0" | "homeserver";

/** An SFU as `/rtc/transports` and memberships name it. */
export interface LivekitTransport {
    type: "livekit";
    livekit_service_url: string;
    /** The SFU's own address; only the dialect `homeserver` needs it. */
    url?: string;
    [key: string]: unknown;
}

/** Who asks, and for which call. */
export interface Caller {
    client: MatrixClient;
    dialect: Dialect;
    roomId: string;
    memberId: string;
}

export interface SfuToken {
    url: string;
    jwt: string;
}

const SLOT_ID = "m.call#ROOM";

export function isLivekit(transport: { type: string }): transport is LivekitTransport {
    return transport.type === "livekit" && "livekit_service_url" in transport;
}

/** Where this client is to publish: the first SFU that its homeserver offers. */
export async function ownTransport(client: MatrixClient): Promise<LivekitTransport> {
    const offered = (await client._unstable_getRTCTransports()).find(isLivekit);
    if (!offered) throw new Error("the homeserver offers no SFU");
    return offered;
}

/** A fresh id for each join, but in the first dialect, where it is a name for the device. */
export function newMemberId(client: MatrixClient, dialect: Dialect): string {
    return dialect === "compatibility" ? `${client.getUserId()}:${client.getDeviceId()}` : crypto.randomUUID();
}

/** A token for the SFU; `serverName` is the homeserver that it belongs to. */
export async function sfuToken(caller: Caller, transport: LivekitTransport, serverName?: string): Promise<SfuToken> {
    const { client, dialect } = caller;
    if (dialect === "homeserver") {
        const url = addressOf(transport);
        const { jwt } = await client._unstable_getLivekitToken({
            url,
            room_id: caller.roomId,
            slot_id: SLOT_ID,
            member: { id: caller.memberId, claimed_device_id: client.getDeviceId()! },
            ...(serverName && serverName !== client.getDomain() ? { server_name: serverName } : {}),
        });
        return { url, jwt };
    }
    const endpoint = dialect === "compatibility" ? "sfu/get" : "get_token";
    return postToService(transport, endpoint, await serviceRequest(caller));
}

/** Hands a delayed leave over to the server, which from now on restarts it for as long as we are in the SFU. */
export async function delegateLeave(
    caller: Caller,
    transport: LivekitTransport,
    delayId: string,
    delayMs: number,
): Promise<void> {
    const delay = { delay_id: delayId, delay_timeout: delayMs };
    switch (caller.dialect) {
        case "compatibility":
            await postToService(transport, "sfu/get", { ...(await serviceRequest(caller)), ...delay });
            return;
        case "matrix_2_0":
            await postToService(transport, "delegate_delayed_leave", { ...(await serviceRequest(caller)), ...delay });
            return;
        case "homeserver":
            await caller.client._unstable_delegateDelayedLeave({
                url: addressOf(transport),
                room_id: caller.roomId,
                slot_id: SLOT_ID,
                member: { id: caller.memberId, claimed_device_id: caller.client.getDeviceId()! },
                delay_id: delayId,
            });
    }
}

/**
 * Where the SFU itself is. Members do not tell it: matrix-js-sdk 43 leaves it out of what they publish. A server of this
 * project has it beside the service.
 */
function addressOf({ url, livekit_service_url: serviceUrl }: LivekitTransport): string {
    return url ?? serviceUrl.replace(/^http/, "ws").replace(/\/jwt$/, "/sfu");
}

/** The request to the service beside an SFU, which knows us by an OpenID token of our homeserver. */
async function serviceRequest({ client, dialect, roomId, memberId }: Caller): Promise<Record<string, unknown>> {
    const openid_token = await client.getOpenIdToken();
    const deviceId = client.getDeviceId()!;
    if (dialect === "compatibility") return { room: roomId, openid_token, device_id: deviceId };
    const member = { id: memberId, claimed_user_id: client.getUserId()!, claimed_device_id: deviceId };
    return { room_id: roomId, slot_id: SLOT_ID, openid_token, member };
}

async function postToService(transport: LivekitTransport, endpoint: string, body: unknown): Promise<SfuToken> {
    const url = `${transport.livekit_service_url}/${endpoint}`;
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: Method.Post, headers, body: JSON.stringify(body) });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${url}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
}
