// Somebody who is logged in: a client with cryptography that follows the server.

import { ClientEvent, createClient, type MatrixClient, SyncState } from "matrix-js-sdk";

export interface Account {
    baseUrl: string;
    userId: string;
    deviceId: string;
    accessToken: string;
}

/** Starts the account's client; settles after the first sync. */
export async function signIn(account: Account): Promise<MatrixClient> {
    const client = createClient({ ...account });
    await client.initRustCrypto({ useIndexedDB: false });
    // Nobody here verifies anybody.
    client.getCrypto()!.globalBlacklistUnverifiedDevices = false;
    const isPrepared = new Promise<void>((resolve) => {
        client.on(ClientEvent.Sync, (state) => {
            if (state === SyncState.Prepared) resolve();
        });
    });
    await client.startClient({ initialSyncLimit: 20 });
    await isPrepared;
    return client;
}
