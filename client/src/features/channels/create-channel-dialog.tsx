import { useNavigate } from "@tanstack/react-router";
import { Hash, Megaphone, Volume2 } from "lucide-react";
import { useState } from "react";
import { useAct } from "~/hooks/act";
import { useRoom } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { ChannelKind } from "~/matrix/creation";
import type { RoomId } from "~/matrix/ids";
import { Choices } from "~/ui/choices";
import { Switch, TextField } from "~/ui/field";
import { FormDialog } from "~/ui/form-dialog";

interface CreateChannelDialogProps {
  serverId: RoomId;
  parentId: RoomId;
  isCategory?: boolean | undefined;
  onClose: () => void;
}

/** Makes a channel or a category of a server. */
export function CreateChannelDialog({ serverId, parentId, isCategory, onClose }: CreateChannelDialogProps) {
  const { t } = useTranslation("channels");
  const { creation } = useSession();
  const navigate = useNavigate();
  const server = useRoom(serverId);
  const [kind, setKind] = useState<ChannelKind>("text");
  const [name, setName] = useState("");
  const [topic, setTopic] = useState("");
  const [isPrivate, setPrivate] = useState(false);
  const [isEncrypted, setEncrypted] = useState(false);
  const { isPending, error, run } = useAct();

  async function create() {
    const isDone = await run(async () => {
      if (isCategory) return void (await creation.category(serverId, name.trim()));
      const draft = { kind, name: name.trim(), topic: topic.trim(), isPrivate, isEncrypted };
      const roomId = await creation.channel(serverId, parentId, draft);
      await navigate({ to: "/room/$roomId", params: { roomId } });
    });
    if (isDone) onClose();
  }

  return (
    <FormDialog
      title={isCategory ? t("createCategory") : t("createChannel")}
      action={t("create")}
      canSubmit={name.trim() !== ""}
      isPending={isPending}
      failure={error}
      onSubmit={() => void create()}
      onClose={onClose}
    >
      {!isCategory && (
        <Choices
          label={t("kind")}
          value={kind}
          onChange={setKind}
          choices={[
            { id: "text", label: t("kindText"), hint: t("kindTextHint"), icon: Hash },
            {
              id: "announcement",
              label: t("kindAnnouncement"),
              hint: t("kindAnnouncementHint"),
              icon: Megaphone,
            },
            { id: "voice", label: t("kindVoice"), hint: t("kindVoiceHint"), icon: Volume2 },
          ]}
        />
      )}
      <TextField autoFocus label={t("name")} value={name} onChange={setName} maxLength={100} />
      {!isCategory && (
        <>
          <TextField label={t("topic")} value={topic} onChange={setTopic} maxLength={500} />
          <Switch
            label={t("private")}
            hint={isPrivate ? t("privateHint") : t("sharedHint", { server: server?.name })}
            isSelected={isPrivate}
            onChange={setPrivate}
          />
          <Switch
            label={t("encrypted")}
            hint={t("encryptedHint")}
            isSelected={isEncrypted}
            onChange={setEncrypted}
          />
        </>
      )}
    </FormDialog>
  );
}
