import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useSyncExternalStore } from "react";
import { usePreferences } from "~/hooks/preferences";

export type Panel = "members" | "threads" | "pins" | "search" | "profile" | "thread";

const WIDE = "(min-width: 1181px)";

/** Whether there is room for a panel beside the channel; else it lies over it. */
export function useIsWide(): boolean {
  return useSyncExternalStore(watchWidth, () => window.matchMedia(WIDE).matches);
}

function watchWidth(onChange: () => void): () => void {
  const query = window.matchMedia(WIDE);
  query.addEventListener("change", onChange);
  return () => query.removeEventListener("change", onChange);
}

/** The panel that is shown: the address' own, else the members where there is room and they are wanted. */
export function useShownPanel(): Panel | undefined {
  const { panel, thread } = useSearch({ from: "/shell/room/$roomId" });
  const { showsMembers } = usePreferences();
  const isWide = useIsWide();
  if (thread) return "thread";
  if (panel) return panel;
  return isWide && showsMembers ? "members" : undefined;
}

/** Opens a panel, or closes it if it is the one that is open. */
export function useTogglePanel(): (panel: Exclude<Panel, "thread">) => void {
  const navigate = useNavigate();
  const shown = useShownPanel();
  const isWide = useIsWide();
  return useCallback(
    (panel) => {
      const next = shown === panel ? undefined : panel;
      // Where there is room, members stay as this person wants them, in every channel.
      if (panel === "members" && isWide) {
        usePreferences.setState({ showsMembers: next !== undefined });
        void navigate({ to: ".", search: {} });
      } else void navigate({ to: ".", search: next ? { panel: next } : {} });
    },
    [navigate, shown, isWide],
  );
}

/** Closes whichever panel is open. */
export function useClosePanel(): () => void {
  const navigate = useNavigate();
  const shown = useShownPanel();
  const isWide = useIsWide();
  return useCallback(() => {
    if (shown === "members" && isWide) usePreferences.setState({ showsMembers: false });
    void navigate({ to: ".", search: {} });
  }, [navigate, shown, isWide]);
}
