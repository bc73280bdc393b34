import { useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { Direction, Webhook } from "~/matrix/webhooks";
import { Switch, TextField } from "~/ui/field";
import { FormDialog } from "~/ui/form-dialog";
import { Select } from "~/ui/select";
import { type Draft, draftOf, EVENTS, settingsOf } from "./draft";
import { PictureField } from "./picture-field";
import { Secrets } from "./secrets";
import { useRefusalText, useWebhooks } from "./use-webhooks";

interface WebhookFormProps {
  roomId: RoomId;
  direction: Direction;
  /** The one that is changed; a new one is made without. */
  webhook: Webhook | undefined;
  onClose: () => void;
}

/** Makes or changes a webhook; what is shown once is shown in its place. */
export function WebhookForm({ roomId, direction, webhook, onClose }: WebhookFormProps) {
  const { t } = useTranslation(["integrations", "ui"]);
  const { webhooks, renew } = useWebhooks(roomId);
  const refusalText = useRefusalText(direction);
  const [draft, setDraft] = useState(() => draftOf(direction, webhook));
  const [made, setMade] = useState<Webhook>();
  const [isPending, setPending] = useState(false);
  const [failure, setFailure] = useState<string>();
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change });

  async function save() {
    setPending(true);
    setFailure(undefined);
    try {
      const settings = settingsOf(draft);
      if (webhook) await webhooks.change(roomId, webhook.id, settings);
      else setMade(await webhooks.make(roomId, direction, settings, draft.isSigned));
      await renew();
      if (webhook) onClose();
    } catch (error) {
      setFailure(refusalText(error));
      setPending(false);
    }
  }

  const formTitle = t(webhook ? "editTitle" : `${direction}Add`, { name: webhook?.name });
  return (
    <FormDialog
      title={made ? t("secret.title", { name: made.name }) : formTitle}
      action={webhook ? t("ui:save") : t("make")}
      isPending={isPending}
      failure={failure}
      result={made && <Secrets webhook={made} />}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <PictureField
        name={draft.name}
        mxc={draft.avatarMxc}
        onChange={(avatarMxc) => set({ avatarMxc })}
        onFailed={(error) => setFailure(refusalText(error))}
      />
      <TextField
        label={t("name")}
        hint={t("nameHint")}
        value={draft.name}
        onChange={(name) => set({ name })}
        maxLength={60}
        isRequired
        autoFocus
      />
      {direction === "incoming" ? (
        <IncomingFields draft={draft} set={set} isNew={webhook === undefined} />
      ) : (
        <OutgoingFields draft={draft} set={set} />
      )}
    </FormDialog>
  );
}

interface FieldsProps {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
}

function IncomingFields({ draft, set, isNew }: FieldsProps & { isNew: boolean }) {
  const { t } = useTranslation("integrations");
  return (
    <>
      <Switch
        label={t("nameOverride")}
        hint={t("nameOverrideHint")}
        isSelected={draft.allowsNames}
        onChange={(allowsNames) => set({ allowsNames })}
      />
      {isNew && (
        <Switch
          label={t("signed")}
          hint={t("signedHint")}
          isSelected={draft.isSigned}
          onChange={(isSigned) => set({ isSigned })}
        />
      )}
    </>
  );
}

function OutgoingFields({ draft, set }: FieldsProps) {
  const { t } = useTranslation("integrations");
  return (
    <>
      <TextField
        label={t("address")}
        hint={t("addressHint")}
        type="url"
        value={draft.url}
        onChange={(url) => set({ url })}
        isRequired
        autoComplete="off"
      />
      <Select
        label={t("eventsLabel")}
        value={draft.events}
        options={EVENTS.map((id) => ({ id, label: t(`events.${id}`) }))}
        onChange={(events) => set({ events })}
      />
      {draft.events === "some" && (
        <TextField
          label={t("types")}
          hint={t("typesHint")}
          value={draft.types}
          onChange={(types) => set({ types })}
          isRequired
        />
      )}
      <TextField
        label={t("words")}
        hint={t("wordsHint")}
        value={draft.words}
        onChange={(words) => set({ words })}
      />
      <Switch
        label={t("replies")}
        hint={t("repliesHint")}
        isSelected={draft.allowsReplies}
        onChange={(allowsReplies) => set({ allowsReplies })}
      />
    </>
  );
}
