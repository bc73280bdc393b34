import { create } from "zustand";
import { persist } from "zustand/middleware";

/** More than fit the list are not remembered. */
const REMEMBERED_MAX = 40;

interface RecentState {
  /** When an entry was last chosen on this device. */
  used: Record<string, number>;
}

export const useRecent = create<RecentState>()(
  persist((): RecentState => ({ used: {} }), { name: "echorift.recent" }),
);

export function rememberUse(id: string, now: number): void {
  const used = { ...useRecent.getState().used, [id]: now };
  const kept = Object.entries(used)
    .sort(([, a], [, b]) => b - a)
    .slice(0, REMEMBERED_MAX);
  useRecent.setState({ used: Object.fromEntries(kept) });
}
