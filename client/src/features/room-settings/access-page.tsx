import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Globe, Lock, MessageCircleQuestion, Users } from "lucide-react";
import { useState } from "react";
import { useAct } from "~/hooks/act";
import { usePermissions } from "~/hooks/permissions";
import { useRoom } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { HistoryVisibility } from "~/matrix/room-details";
import { Choices } from "~/ui/choices";
import { Confirm } from "~/ui/dialog";
import { Switch } from "~/ui/field";
import { Notice } from "~/ui/marks";
import { Select } from "~/ui/select";

import { DirectoryGroups } from "./directory-groups";

const HISTORIES: readonly HistoryVisibility[] = ["world_readable", "shared", "invited", "joined"];

/** Who may join and what they see. */
export function AccessPage({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("room-settings");
  const { settings, spaces } = useSession();
  const details = useSlice(settings.details, roomId);
  const can = usePermissions(roomId);
  const room = useRoom(roomId);
  const { serverId } = useSlice(spaces.serverOf, roomId);
  const server = useRoom(details.allowed[0] ?? serverId ?? roomId);
  const { error, run } = useAct();
  const isInServer = serverId !== undefined && serverId !== roomId;
  return (
    <>
      <Choices
        label={t("access")}
        value={details.access}
        isDisabled={!can.changeAccess}
        onChange={(access) => void run(() => settings.setAccess(roomId, access, serverId))}
        choices={[
          ...(isInServer || details.access === "restricted"
            ? [
                {
                  id: "restricted" as const,
                  label: t("restricted", { server: server?.name }),
                  hint: t("restrictedHint"),
                  icon: Users,
                },
              ]
            : []),
          { id: "invite", label: t("invite"), hint: t("inviteHint"), icon: Lock },
          { id: "knock", label: t("knock"), hint: t("knockHint"), icon: MessageCircleQuestion },
          { id: "public", label: t("public"), hint: t("publicHint"), icon: Globe },
        ]}
      />
      <DirectoryGroups roomId={roomId} />
      <Listed roomId={roomId} isChangeable={can.changeAddresses} />
      <Select
        label={t("history")}
        value={details.history}
        isDisabled={!can.changeHistory}
        onChange={(history) => void run(() => settings.setHistory(roomId, history))}
        options={HISTORIES.map((id) => ({ id, label: t(`histories.${id}`) }))}
      />
      {room?.kind !== "space" && <Encryption roomId={roomId} />}
      {error && <Notice tone="danger">{error}</Notice>}
    </>
  );
}

function Listed({ roomId, isChangeable }: { roomId: RoomId; isChangeable: boolean }) {
  const { t } = useTranslation("room-settings");
  const { settings } = useSession();
  const queries = useQueryClient();
  const { data } = useQuery({ queryKey: ["listed", roomId], queryFn: () => settings.isListed(roomId) });
  const { error, run } = useAct();

  async function change(isListed: boolean) {
    if (await run(() => settings.setListed(roomId, isListed)))
      queries.setQueryData(["listed", roomId], isListed);
  }

  return (
    <>
      <Switch
        label={t("listed")}
        hint={t("listedHint")}
        isSelected={data ?? false}
        isDisabled={!isChangeable || data === undefined}
        onChange={(isListed) => void change(isListed)}
      />
      {error && <Notice tone="danger">{error}</Notice>}
    </>
  );
}

function Encryption({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation("room-settings");
  const { settings } = useSession();
  const { isEncrypted, access } = useSlice(settings.details, roomId);
  const can = usePermissions(roomId);
  const [isAsking, setAsking] = useState(false);
  const { isPending, error, run } = useAct();
  return (
    <>
      <Switch
        label={t("encrypted")}
        hint={isEncrypted ? t("encryptedNow") : t("encryptedHint")}
        isSelected={isEncrypted}
        isDisabled={isEncrypted || !can.changeEncryption}
        onChange={() => setAsking(true)}
      />
      <Confirm
        isOpen={isAsking}
        title={t("encryptTitle")}
        action={t("encryptAction")}
        isPending={isPending}
        onConfirm={() =>
          void run(() => settings.encrypt(roomId)).then((isDone) => isDone && setAsking(false))
        }
        onClose={() => setAsking(false)}
      >
        <p>{t("encryptText")}</p>
        {access === "public" && <Notice tone="ember">{t("encryptPublic")}</Notice>}
        {error && <Notice tone="danger">{error}</Notice>}
      </Confirm>
    </>
  );
}
