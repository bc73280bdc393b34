import { useNavigate } from "@tanstack/react-router";
import {
  Ban,
  Ellipsis,
  Eye,
  EyeOff,
  Flag,
  MessageSquare,
  Pencil,
  Trash2,
  UserCheck,
  UserMinus,
} from "lucide-react";
import { useContext } from "react";
import { OverlayTriggerStateContext } from "react-aria-components/Dialog";
import { PersonIdentity } from "~/features/encryption";
import { askModeration } from "~/features/moderation";
import { useAct } from "~/hooks/act";
import { useIsIgnored, useMemberActions } from "~/hooks/people";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId, UserId } from "~/matrix/ids";
import { Button, IconButton } from "~/ui/button";
import { Notice } from "~/ui/marks";
import { Menu, type MenuEntry } from "~/ui/menu";
import { toast } from "~/ui/toast";
import styles from "./profile.module.css";

interface Props {
  roomId: RoomId | undefined;
  userId: UserId;
  name: string;
}

/** What one can do with somebody else: talk to them, and, behind a menu, what keeps them away. */
export function ProfileActions({ roomId, userId, name }: Props) {
  const { t } = useTranslation("profile");
  const entries = useEntries(roomId ?? NOWHERE, userId, name);
  const { directs } = useSession();
  const navigate = useNavigate();
  const close = useClose();
  const { error, isPending, run } = useAct();
  const talk = () =>
    void run(async () => {
      const directId = await directs.open(userId);
      close();
      await navigate({ to: "/room/$roomId", params: { roomId: directId } });
    });
  return (
    <div className={styles.actions}>
      <Button kind="primary" icon={MessageSquare} isPending={isPending} onPress={talk}>
        {t("message")}
      </Button>
      <Menu label={t("more")} entries={entries}>
        <IconButton icon={Ellipsis} label={t("more")} />
      </Menu>
      {error && <Notice tone="danger">{error}</Notice>}
      <PersonIdentity userId={userId} name={name} onCompare={close} />
    </div>
  );
}

const NOWHERE = "" as RoomId;

/** Closes the popover that the card stands in, if it does. */
function useClose(): () => void {
  const overlay = useContext(OverlayTriggerStateContext);
  return () => overlay?.close();
}

function useEntries(roomId: RoomId, userId: UserId, name: string): readonly MenuEntry[] {
  const { t } = useTranslation("profile");
  const { ignored } = useSession();
  const isIgnored = useIsIgnored(userId);
  const can = useMemberActions(roomId, userId);
  const close = useClose();
  const ask = (kind: "kick" | "ban" | "unban" | "deleteRecent") => () => {
    close();
    askModeration({ kind, roomId, userId });
  };
  const toggleIgnored = () => {
    const change = isIgnored ? ignored.remove(userId) : ignored.add(userId);
    change.then(
      () => toast({ text: t(isIgnored ? "unignoredNow" : "ignoredNow", { name }) }),
      () => toast({ text: t("ignoreFailed"), tone: "danger" }),
    );
  };
  const entry = (
    id: string,
    icon: NonNullable<Exclude<MenuEntry, "separator">["icon"]>,
    onAction: () => void,
    isDangerous = true,
  ): MenuEntry => ({ id, label: t(id), icon, onAction, isDangerous });
  const moderating = [
    can.canRedact && entry("deleteRecent", Trash2, ask("deleteRecent")),
    can.canKick && entry("kick", UserMinus, ask("kick")),
    can.canBan && entry("ban", Ban, ask("ban")),
    can.canUnban && entry("unban", UserCheck, ask("unban"), false),
  ].filter((one) => one !== false);
  return [
    entry(isIgnored ? "unignore" : "ignore", isIgnored ? Eye : EyeOff, toggleIgnored, false),
    entry(
      "report",
      Flag,
      () => {
        close();
        askModeration({ kind: "reportPerson", userId });
      },
      false,
    ),
    ...(moderating.length > 0 ? (["separator", ...moderating] as const) : []),
  ];
}

/** On one's own card. */
export function OwnActions() {
  const { t } = useTranslation("profile");
  const navigate = useNavigate();
  const close = useClose();
  return (
    <div className={styles.actions}>
      <Button
        icon={Pencil}
        onPress={() => {
          close();
          void navigate({ to: "/settings/$page", params: { page: "profile" } });
        }}
      >
        {t("edit")}
      </Button>
    </div>
  );
}
