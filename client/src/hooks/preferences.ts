import { create } from "zustand";
import { persist } from "zustand/middleware";

export type Theme = "system" | "dark" | "light";

/** What this device remembers of how its user likes things. Account-wide settings live in account data instead. */
interface Preferences {
  theme: Theme;
  density: "cosy" | "compact";
  textScale: number;
  motion: "system" | "reduced";
  timeFormat: "system" | "12" | "24";
  showsMembers: boolean;
  /** Others see how far one has read; otherwise only one's own devices do (`m.read.private`). */
  sendsReadReceipts: boolean;
  sendsTyping: boolean;
  /** New messages of the open channel are said by screen readers. */
  announcesMessages: boolean;
  underlinesLinks: boolean;
  notifies: NotificationPreferences;
}

/** How this device tells of what the account's push rules let through. */
export interface NotificationPreferences {
  onDesktop: boolean;
  /** Names and words of the message, or only that there is one. */
  showsText: boolean;
  messageSound: boolean;
  /** Between these times of day ("22:00") nothing is shown or sounds; calls still ring. */
  quiet: { isOn: boolean; from: string; to: string };
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
      sendsReadReceipts: true,
      sendsTyping: true,
      announcesMessages: true,
      underlinesLinks: false,
      notifies: {
        onDesktop: false,
        showsText: true,
        messageSound: true,
        quiet: { isOn: false, from: "22:00", to: "07:00" },
      },
    }),
    {
      name: "echorift.preferences",
      // What was stored before a preference came to be gets its default, also one level down.
      merge: (stored, usual) => {
        const known = (stored ?? {}) as Partial<Preferences>;
        return { ...usual, ...known, notifies: { ...usual.notifies, ...known.notifies } };
      },
    },
  ),
);

/** Keeps the document's attributes as the preferences want them. Call once at the start. */
export function applyPreferences(): void {
  const prefersLight = window.matchMedia("(prefers-color-scheme: light)");
  const apply = () => {
    const { theme, density, textScale, motion, underlinesLinks } = usePreferences.getState();
    const root = document.documentElement;
    root.dataset.theme = theme === "system" ? (prefersLight.matches ? "light" : "dark") : theme;
    root.dataset.density = density;
    root.dataset.motion = motion;
    root.dataset.links = underlinesLinks ? "underlined" : "plain";
    root.style.setProperty("--text-scale", String(textScale));
  };
  prefersLight.addEventListener("change", apply);
  usePreferences.subscribe(apply);
  apply();
}
