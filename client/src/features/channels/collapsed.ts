import { create } from "zustand";
import { persist } from "zustand/middleware";

interface CollapsedState {
  /** IDs of categories, on this device. */
  ids: readonly string[];
}

/** Which categories are folded. */
export const useCollapsed = create<CollapsedState>()(
  persist((): CollapsedState => ({ ids: [] }), { name: "echorift.collapsed" }),
);

export function toggleCollapsed(id: string): void {
  useCollapsed.setState(({ ids }) => ({
    ids: ids.includes(id) ? ids.filter((other) => other !== id) : [...ids, id],
  }));
}
