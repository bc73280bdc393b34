import { useNavigate } from "@tanstack/react-router";
import { Globe, Lock } from "lucide-react";
import { useState } from "react";
import { useAct } from "~/hooks/act";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { ChannelDraft } from "~/matrix/creation";
import { Choices } from "~/ui/choices";
import { Switch, TextField } from "~/ui/field";
import { FormDialog } from "~/ui/form-dialog";
import { useCurrentServer } from "./current-server";
import { readJoinTarget } from "./join-target";

type Way = "create" | "join";

/** Makes a server with its first channels, or joins one by address or link. */
export function AddServerDialog({
  address = "",
  onClose,
}: {
  address?: string | undefined;
  onClose: () => void;
}) {
  const { t } = useTranslation("servers");
  const [way, setWay] = useState<Way>(address ? "join" : "create");
  const [name, setName] = useState("");
  const [access, setAccess] = useState<"private" | "public">("private");
  const [hasVoice, setHasVoice] = useState(true);
  const [text, setText] = useState(address);
  const target = readJoinTarget(text);
  const { isPending, error, run } = useAct();
  const { creation, membership } = useSession();
  const navigate = useNavigate();

  async function create() {
    const general: ChannelDraft = { kind: "text", name: t("firstText"), isPrivate: false };
    const voice: ChannelDraft = { kind: "voice", name: t("firstVoice"), isPrivate: false };
    const isDone = await run(async () => {
      const serverId = await creation.server({
        name: name.trim(),
        isPublic: access === "public",
        channels: hasVoice ? [general, voice] : [general],
      });
      useCurrentServer.setState({ serverId });
    });
    if (isDone) onClose();
  }

  async function join() {
    if (!target) return;
    const isDone = await run(async () => {
      const roomId = await membership.join(target.target, target.via);
      await navigate({ to: "/room/$roomId", params: { roomId } });
    });
    if (isDone) onClose();
  }

  const isReady = way === "create" ? name.trim() !== "" : target !== undefined;
  return (
    <FormDialog
      title={t("add")}
      action={way === "create" ? t("create") : t("join")}
      canSubmit={isReady}
      isPending={isPending}
      failure={error}
      onSubmit={() => void (way === "create" ? create() : join())}
      onClose={onClose}
    >
      <Choices
        label={t("way")}
        hidesLabel
        value={way}
        onChange={setWay}
        choices={[
          { id: "create", label: t("wayCreate"), hint: t("wayCreateHint") },
          { id: "join", label: t("wayJoin"), hint: t("wayJoinHint") },
        ]}
      />
      {way === "create" ? (
        <>
          <TextField autoFocus label={t("name")} value={name} onChange={setName} maxLength={100} />
          <Choices
            label={t("access")}
            value={access}
            onChange={setAccess}
            choices={[
              { id: "private", label: t("private"), hint: t("privateHint"), icon: Lock },
              { id: "public", label: t("public"), hint: t("publicHint"), icon: Globe },
            ]}
          />
          <Switch label={t("withVoice")} isSelected={hasVoice} onChange={setHasVoice} />
        </>
      ) : (
        <TextField
          autoFocus
          label={t("address")}
          hint={t("addressHint")}
          value={text}
          onChange={setText}
          isInvalid={text.trim() !== "" && !target}
          error={t("addressInvalid")}
        />
      )}
    </FormDialog>
  );
}
