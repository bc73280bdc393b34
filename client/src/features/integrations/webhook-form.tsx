import { type FormEvent, useId, useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { Direction, Webhook } from "~/matrix/webhooks";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { Switch, TextField } from "~/ui/field";
import { Notice } from "~/ui/marks";
import { Select } from "~/ui/select";
import { type Draft, draftOf, EVENTS, settingsOf } from "./draft";
import styles from "./integrations.module.css";
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
  const formId = useId();
  const [draft, setDraft] = useState(() => draftOf(direction, webhook));
  const [made, setMade] = useState<Webhook>();
  const [isPending, setPending] = useState(false);
  const [failure, setFailure] = useState<string>();
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change });

  async function save(event: FormEvent) {
    event.preventDefault();
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

  return (
    <Dialog
      isOpen
      title={
        made
          ? t("secret.title", { name: made.name })
          : t(webhook ? "editTitle" : `${direction}Add`, { name: webhook?.name })
      }
      onClose={onClose}
      footer={
        made ? (
          <Button kind="primary" autoFocus onPress={onClose}>
            {t("secret.done")}
          </Button>
        ) : (
          <>
            <Button kind="quiet" onPress={onClose}>
              {t("ui:cancel")}
            </Button>
            <Button kind="primary" type="submit" form={formId} isPending={isPending}>
              {t(webhook ? "ui:save" : "make")}
            </Button>
          </>
        )
      }
    >
      {made ? (
        <Secrets webhook={made} />
      ) : (
        <form id={formId} className={styles.form} onSubmit={(event) => void save(event)}>
          {failure && <Notice tone="danger">{failure}</Notice>}
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
        </form>
      )}
    </Dialog>
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
