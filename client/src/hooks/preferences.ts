import { create } from "zustand";
import { persist } from "zustand/middleware";

export type Theme = "system" | "dark" | "light";

/** What this device remembers of how its user likes things. Account-wide settings live in account data instead. */
export interface Preferences {
  theme: Theme;
  density: "cosy" | "compact";
  textScale: number;
  motion: "system" | "reduced";
  timeFormat: "system" | "12" | "24";
  showsMembers: boolean;
}

export const usePreferences = create<Preferences>()(
  persist(
    (): Preferences => ({
      theme: "system",
      density: "cosy",
      textScale: 1,
      motion: "system",
      timeFormat: "system",
      showsMembers: true,
    }),
    { name: "echorift.preferences" },
  ),
);

/** Keeps the document's attributes as the preferences want them. Call once at the start. */
export function applyPreferences(): void {
  const prefersLight = window.matchMedia("(prefers-color-scheme: light)");
  const apply = () => {
    const { theme, density, textScale, motion } = usePreferences.getState();
    const root = document.documentElement;
    root.dataset.theme = theme === "system" ? (prefersLight.matches ? "light" : "dark") : theme;
    root.dataset.density = density;
    root.dataset.motion = motion;
    root.style.setProperty("--text-scale", String(textScale));
  };
  prefersLight.addEventListener("change", apply);
  usePreferences.subscribe(apply);
  apply();
}
