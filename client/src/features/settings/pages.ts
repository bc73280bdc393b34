import {
  Accessibility,
  AudioLines,
  Bell,
  Bot,
  Download,
  EyeOff,
  Info,
  Keyboard,
  KeyRound,
  type LucideIcon,
  MonitorSmartphone,
  Palette,
  ScrollText,
  UserRound,
} from "lucide-react";
import { type ComponentType, type LazyExoticComponent, lazy } from "react";

interface SettingsPage {
  readonly id: string;
  readonly section: "you" | "app" | "data";
  readonly icon: LucideIcon;
  readonly content: LazyExoticComponent<ComponentType>;
}

/** All pages in the order of their list; each is fetched when it is visited. */
export const PAGES = [
  page("profile", "you", UserRound, () => import("./profile-page").then((m) => m.ProfilePage)),
  page("notifications", "you", Bell, () =>
    import("~/features/notifications").then((m) => m.NotificationSettings),
  ),
  page("privacy", "you", EyeOff, () => import("./privacy-page").then((m) => m.PrivacyPage)),
  page("sessions", "you", MonitorSmartphone, () => import("./sessions-page").then((m) => m.SessionsPage)),
  page("encryption", "you", KeyRound, () => import("./encryption-page").then((m) => m.EncryptionPage)),
  page("tokens", "you", Bot, () => import("~/features/access-tokens").then((m) => m.TokensPage)),
  page("appearance", "app", Palette, () => import("./appearance-page").then((m) => m.AppearancePage)),
  page("voice", "app", AudioLines, () => import("./voice-page").then((m) => m.VoicePage)),
  page("accessibility", "app", Accessibility, () =>
    import("./accessibility-page").then((m) => m.AccessibilityPage),
  ),
  page("shortcuts", "app", Keyboard, () => import("./shortcuts-page").then((m) => m.ShortcutsPage)),
  page("moderation", "data", ScrollText, () => import("./moderation-page").then((m) => m.ModerationPage)),
  page("export", "data", Download, () => import("./export-page").then((m) => m.ExportPage)),
  page("about", "data", Info, () => import("./about-page").then((m) => m.AboutPage)),
] as const satisfies readonly SettingsPage[];

function page<Id extends string>(
  id: Id,
  section: SettingsPage["section"],
  icon: LucideIcon,
  load: () => Promise<ComponentType>,
) {
  const content = lazy(() => load().then((component) => ({ default: component })));
  return { id, section, icon, content } as const;
}
