/** A few small values that outlive the page, in IndexedDB, where markup cannot reach them by a string. */
const DATABASE = "echorift";
const STORE = "values";

let opened: Promise<IDBDatabase> | undefined;
let open: IDBDatabase | undefined;
/** What a browser without IndexedDB (a private window) keeps until the page goes. */
const inMemory = new Map<string, unknown>();

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => {
      open = request.result;
      resolve(open);
    };
    request.onerror = () => reject(request.error ?? new Error("IndexedDB could not be opened"));
  });
  return opened;
}

/** True if this browser keeps nothing once the page is closed. */
export async function isForgetful(): Promise<boolean> {
  try {
    await database();
    return false;
  } catch {
    return true;
  }
}

export async function readValue(key: string): Promise<unknown> {
  if (await isForgetful()) return inMemory.get(key);
  return settle((store) => store.get(key), "readonly");
}

export async function writeValue(key: string, value: unknown): Promise<void> {
  if (await isForgetful()) inMemory.set(key, value);
  else await settle((store) => store.put(value, key), "readwrite");
}

/** Writes without waiting for anything, while the page goes: a promise would settle too late. */
export function writeValueAtOnce(key: string, value: unknown): void {
  if (!open) {
    inMemory.set(key, value);
    return;
  }
  const transaction = open.transaction(STORE, "readwrite");
  transaction.objectStore(STORE).put(value, key);
  transaction.commit();
}

export async function deleteValue(key: string): Promise<void> {
  if (await isForgetful()) inMemory.delete(key);
  else await settle((store) => store.delete(key), "readwrite");
}

/** Forgets every value: what an account leaves behind is nothing to the next one on this device. */
export async function clearValues(): Promise<void> {
  inMemory.clear();
  if (!(await isForgetful())) await settle((store) => store.clear(), "readwrite");
}

async function settle<T>(
  ask: (store: IDBObjectStore) => IDBRequest<T>,
  mode: IDBTransactionMode,
): Promise<T> {
  const transaction = (await database()).transaction(STORE, mode);
  const request = ask(transaction.objectStore(STORE));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = () => reject(transaction.error ?? new Error("IndexedDB refused"));
    transaction.onabort = () => reject(transaction.error ?? new Error("IndexedDB gave up"));
  });
}
