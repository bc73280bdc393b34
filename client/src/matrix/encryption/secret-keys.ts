import type { CryptoCallbacks } from "matrix-js-sdk/lib/crypto-api";

interface HeldKey {
  readonly id: string;
  readonly key: Uint8Array<ArrayBuffer>;
}

/** The key of the secret storage, held only while something is read from there or written to it. */
export class SecretKeys {
  private held: HeldKey | undefined;
  private isNeeded = false;

  readonly callbacks: CryptoCallbacks = {
    getSecretStorageKey: async ({ keys }) =>
      this.held && this.held.id in keys ? [this.held.id, this.held.key] : null,
    cacheSecretStorageKey: (id, _info, key) => {
      if (this.isNeeded) this.held = { id, key };
    },
  };

  /** Holds a key while `act` runs; without one, the key that `act` makes. */
  async during<T>(key: HeldKey | undefined, act: () => Promise<T>): Promise<T> {
    this.held = key;
    this.isNeeded = true;
    try {
      return await act();
    } finally {
      this.held = undefined;
      this.isNeeded = false;
    }
  }
}
