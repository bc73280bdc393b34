import { useNavigate } from "@tanstack/react-router";
import {
  Compass,
  Inbox,
  Keyboard,
  type LucideIcon,
  MessagesSquare,
  Plus,
  Settings,
  SquarePen,
  User,
} from "lucide-react";
import { useState } from "react";
import { channelIcon } from "~/features/channels";
import { useOpenServer } from "~/features/servers";
import { openDialog } from "~/hooks/dialogs";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { serverOf } from "~/matrix/ids";
import { type Candidate, fold, wordsOf } from "./rank";
import { useRecent } from "./recent";

type EntryGroup = "channel" | "direct" | "server" | "person" | "settings" | "command";

export interface Entry extends Candidate {
  readonly id: string;
  readonly group: EntryGroup;
  readonly name: string;
  /** Where it is, or whose. */
  readonly detail: string;
  readonly icon: LucideIcon;
  readonly open: () => unknown;
}

const WEIGHTS: Readonly<Record<EntryGroup, number>> = {
  direct: 0,
  channel: 1,
  server: 2,
  person: 3,
  command: 4,
  settings: 5,
};

const SETTINGS_PAGES = [
  "profile",
  "appearance",
  "notifications",
  "voice",
  "sessions",
  "encryption",
  "accessibility",
  "privacy",
  "shortcuts",
  "about",
] as const;

/** Everything one can jump to, as it is when the switcher opens. */
export function useEntries(): readonly Entry[] {
  const { t } = useTranslation("switcher");
  const session = useSession();
  const navigate = useNavigate();
  const openServer = useOpenServer();
  const [entries] = useState(() => {
    const { used } = useRecent.getState();
    const ownServer = serverOf(session.userId);
    const entry = (own: Omit<Entry, keyof Candidate> & { lastTs?: number }): Entry => ({
      ...own,
      text: fold(own.group === "person" ? wordsOf(own.name, own.detail, ownServer) : own.name),
      lastTs: Math.max(used[own.id] ?? 0, own.lastTs ?? 0),
      weight: WEIGHTS[own.group],
    });
    const goTo = (path: string) => () => void navigate({ to: path as "/" });
    const list: Entry[] = [];
    const withDirect = new Set<string>();
    for (const id of session.rooms.lists.read("joined")) {
      const room = session.rooms.summary(id);
      if (!room) continue;
      if (room.directWith) withDirect.add(room.directWith);
      if (room.kind === "space") {
        const { serverId } = session.spaces.serverOf.read(id);
        if (serverId === id)
          list.push(
            entry({
              id,
              group: "server",
              name: room.name,
              detail: "",
              icon: Compass,
              open: () => openServer(id),
            }),
          );
        continue;
      }
      const { serverId } = session.spaces.serverOf.read(id);
      list.push(
        entry({
          id,
          group: room.kind === "direct" ? "direct" : "channel",
          name: room.name,
          detail: serverId ? (session.rooms.summary(serverId)?.name ?? "") : "",
          icon: room.kind === "direct" ? User : channelIcon(room),
          lastTs: room.lastTs,
          open: () => navigate({ to: "/room/$roomId", params: { roomId: id } }),
        }),
      );
    }
    for (const { userId, name } of session.people.known()) {
      if (withDirect.has(userId)) continue;
      list.push(
        entry({
          id: userId,
          group: "person",
          name,
          detail: userId,
          icon: User,
          open: async () => {
            const roomId = await session.directs.open(userId);
            await navigate({ to: "/room/$roomId", params: { roomId } });
          },
        }),
      );
    }
    const command = (id: string, icon: LucideIcon, open: () => unknown) =>
      entry({ id: `command-${id}`, group: "command", name: t(`commands.${id}`), detail: "", icon, open });
    list.push(
      command("newMessage", SquarePen, () => openDialog({ kind: "new-message" })),
      command("addServer", Plus, () => openDialog({ kind: "add-server" })),
      command("explore", Compass, goTo("/explore")),
      command("inbox", Inbox, goTo("/inbox")),
      command("directs", MessagesSquare, () => openServer(undefined)),
      command("shortcuts", Keyboard, () => openDialog({ kind: "shortcuts" })),
    );
    for (const page of SETTINGS_PAGES) {
      list.push(
        entry({
          id: `settings-${page}`,
          group: "settings",
          name: t(`settings.${page}`),
          detail: "",
          icon: Settings,
          open: goTo(`/settings/${page}`),
        }),
      );
    }
    return list;
  });
  return entries;
}
