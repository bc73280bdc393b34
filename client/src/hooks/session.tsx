import { createContext, type ReactNode, useCallback, useContext, useSyncExternalStore } from "react";
import type { Session } from "~/matrix/session";
import type { Slice } from "~/matrix/slice";

const SessionContext = createContext<Session | undefined>(undefined);

export function SessionProvider({ session, children }: { session: Session; children: ReactNode }) {
  return <SessionContext value={session}>{children}</SessionContext>;
}

/** The account that is logged in. Only below the shell, where there always is one. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("useSession is for what is inside the shell");
  return session;
}

/** One snapshot of the store; renders again when it, and nothing else, changes. */
export function useSlice<T, K extends string>(slice: Slice<T, K>, key: K): T {
  const watch = useCallback((onChange: () => void) => slice.watch(key, onChange), [slice, key]);
  return useSyncExternalStore(watch, () => slice.read(key));
}
