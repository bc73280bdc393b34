import { initAsync } from "@matrix-org/matrix-sdk-crypto-wasm";

/** Fetches and compiles the cryptography, once; the session then finds it ready. */
export const load = (): Promise<void> => initAsync();
