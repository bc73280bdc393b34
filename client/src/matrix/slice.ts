/** One part of the store: a snapshot for each key, and a way to learn that it changed. Snapshots are never mutated. */
export interface Slice<T, K extends string = string> {
  read(key: K): T;
  watch(key: K, onChange: () => void): () => void;
}

/**
 * Collects what changed and tells it once per key and frame, so that one sync answer costs one render.
 * Hidden tabs have no frames: a timer stands in.
 */
export class Changes {
  private readonly pending = new Map<DerivedSlice<unknown, string>, Set<string>>();
  private isScheduled = false;

  note(slice: DerivedSlice<unknown, string>, key: string): void {
    const keys = this.pending.get(slice) ?? new Set();
    this.pending.set(slice, keys.add(key));
    if (this.isScheduled) return;
    this.isScheduled = true;
    if (typeof document !== "undefined" && document.visibilityState === "visible") {
      requestAnimationFrame(() => this.flush());
    } else setTimeout(() => this.flush(), 50);
  }

  /** Tells everything at once; tests call it instead of waiting for a frame. */
  flush(): void {
    this.isScheduled = false;
    const batch = [...this.pending];
    this.pending.clear();
    for (const [slice, keys] of batch) for (const key of keys) slice.settle(key);
  }
}

/** Snapshots that nobody watches: more than a list of rooms and their people needs. */
const UNWATCHED_MAX = 5_000;

/**
 * Snapshots derived from the SDK's state: computed when first read, kept until `invalidate`, and told to watchers only if
 * the new one differs. Of keys that nobody watches, what is stale is forgotten, and of the rest a bounded number is kept.
 */
export class DerivedSlice<T, K extends string = string> implements Slice<T, K> {
  private readonly snapshots = new Map<K, T>();
  private readonly stale = new Set<K>();
  private readonly watchers = new Map<K, Set<() => void>>();

  constructor(
    private readonly changes: Changes,
    private readonly derive: (key: K, previous: T | undefined) => T,
    private readonly isSame: (a: T, b: T) => boolean = isShallowEqual,
  ) {}

  /** The current snapshot: what is stale and watched stays as it was until watchers are told, so that no frame shows two states. */
  read(key: K): T {
    const known = this.snapshots.get(key);
    if (known !== undefined && (!this.stale.has(key) || this.watchers.has(key))) return known;
    return this.renew(key);
  }

  /** The current truth, without waiting for the frame; for actions, not for views. */
  peek(key: K): T {
    return this.stale.has(key) ? this.derive(key, this.snapshots.get(key)) : this.read(key);
  }

  watch(key: K, onChange: () => void): () => void {
    // What changed between the first read and now had nobody to be told: who watches reads it again.
    if (!this.snapshots.has(key)) this.renew(key);
    const watchers = this.watchers.get(key) ?? new Set();
    this.watchers.set(key, watchers.add(onChange));
    return () => {
      watchers.delete(onChange);
      if (watchers.size > 0) return;
      this.watchers.delete(key);
      if (this.stale.delete(key)) this.snapshots.delete(key);
    };
  }

  invalidate(key: K): void {
    if (!this.watchers.has(key)) {
      this.snapshots.delete(key);
      return;
    }
    this.stale.add(key);
    // A slice of other types is the same to the batch.
    this.changes.note(this as unknown as DerivedSlice<unknown, string>, key);
  }

  invalidateAll(): void {
    for (const key of [...this.snapshots.keys()]) this.invalidate(key);
  }

  /** Called by `Changes`: renews the snapshot and tells watchers if it differs. */
  settle(key: K): void {
    const before = this.snapshots.get(key);
    if (!this.stale.has(key)) return;
    const after = this.renew(key);
    if (before !== undefined && before === after) return;
    for (const onChange of [...(this.watchers.get(key) ?? [])]) onChange();
  }

  private renew(key: K): T {
    const before = this.snapshots.get(key);
    const after = this.derive(key, before);
    this.stale.delete(key);
    if (before !== undefined && this.isSame(before, after)) return before;
    this.snapshots.set(key, after);
    if (this.snapshots.size > this.watchers.size + UNWATCHED_MAX) this.forgetUnwatched();
    return after;
  }

  /** All at once and seldom, because what is read in a round would otherwise be forgotten before the round is over. */
  private forgetUnwatched(): void {
    for (const key of this.snapshots.keys()) if (!this.watchers.has(key)) this.snapshots.delete(key);
  }
}

/** Equal in every own property, or element for element. */
export function isShallowEqual<T>(a: T, b: T): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keysOfA = Object.keys(a);
  if (keysOfA.length !== Object.keys(b).length) return false;
  return keysOfA.every((key) => Object.is(a[key as keyof T], b[key as keyof T]));
}
