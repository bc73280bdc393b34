import { Ellipsis, KeyRound, Pencil, Play, Power, Send, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useMediaUrl } from "~/hooks/media";
import { useTimes } from "~/hooks/times";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { Webhook } from "~/matrix/webhooks";
import { Avatar } from "~/ui/avatar";
import { IconButton } from "~/ui/button";
import { cx } from "~/ui/cx";
import { Confirm } from "~/ui/dialog";
import { Chip, Notice } from "~/ui/marks";
import { Menu } from "~/ui/menu";
import { Reason } from "~/ui/reason";
import { toast } from "~/ui/toast";
import styles from "./integrations.module.css";
import { RotateDialog } from "./rotate-dialog";
import { useRefusalText, useWebhooks } from "./use-webhooks";

const TONES = { working: "echo", failing: "live", off: "neutral" } as const;

interface WebhookRowProps {
  roomId: RoomId;
  webhook: Webhook;
  onEdit: () => void;
}

/** One webhook: what it is, how it fares, and what can be done about it. */
export function WebhookRow({ roomId, webhook, onEdit }: WebhookRowProps) {
  const { t } = useTranslation("integrations");
  const { id, name, state } = webhook;
  const { webhooks, renew } = useWebhooks(roomId);
  const refusalText = useRefusalText(webhook.direction);
  const src = useMediaUrl(webhook.avatar_url ?? undefined, 36);
  const [asked, setAsked] = useState<"rotate" | "remove">();
  const [isPending, setPending] = useState(false);
  const [failure, setFailure] = useState<ReactNode>();

  async function run(act: () => Promise<unknown>) {
    setPending(true);
    setFailure(undefined);
    try {
      await act();
    } catch (error) {
      setFailure(refusalText(error));
    }
    setPending(false);
    setAsked(undefined);
    await renew();
  }
  const test = async () => {
    const reason = await webhooks.test(roomId, id);
    if (reason === undefined) toast({ text: t("tested", { name }) });
    else
      setFailure(
        <>
          <p>{t("testFailed")}</p>
          <Reason said={reason} />
        </>,
      );
  };

  return (
    <li className={styles.row} aria-label={name}>
      <Avatar name={name} seed={webhook.user_id} src={src} size={36} />
      <div className={styles.words}>
        <p className={styles.name}>
          {name} <Chip tone={TONES[state]}>{t(`state.${state}`)}</Chip>
          {webhook.direction === "incoming" && webhook.signed && <Chip>{t("signedChip")}</Chip>}
        </p>
        <Details webhook={webhook} />
        {state !== "working" && <Trouble webhook={webhook} />}
        {failure && <Notice tone="danger">{failure}</Notice>}
      </div>
      <Menu
        label={t("more", { name })}
        entries={[
          { id: "edit", label: t("edit"), icon: Pencil, onAction: onEdit },
          {
            id: "test",
            label: t("test"),
            icon: Send,
            isDisabled: !webhook.enabled || isPending,
            onAction: () => void run(test),
          },
          {
            id: "power",
            label: t(webhook.enabled ? "turnOff" : "turnOn"),
            icon: webhook.enabled ? Power : Play,
            onAction: () => void run(() => webhooks.change(roomId, id, { enabled: !webhook.enabled })),
          },
          "separator",
          { id: "rotate", label: t("rotate.action"), icon: KeyRound, onAction: () => setAsked("rotate") },
          {
            id: "remove",
            label: t("remove.action"),
            icon: Trash2,
            isDangerous: true,
            onAction: () => setAsked("remove"),
          },
        ]}
      >
        <IconButton icon={Ellipsis} label={t("more", { name })} />
      </Menu>
      {asked === "rotate" && (
        <RotateDialog
          name={name}
          rotate={() => webhooks.rotate(roomId, id)}
          onClose={() => setAsked(undefined)}
        />
      )}
      {asked === "remove" && (
        <Confirm
          isOpen
          isDangerous
          title={t("remove.title", { name })}
          action={t("remove.action")}
          isPending={isPending}
          onConfirm={() => void run(() => webhooks.remove(roomId, id))}
          onClose={() => setAsked(undefined)}
        >
          <p>{t("remove.text")}</p>
        </Confirm>
      )}
    </li>
  );
}

function Details({ webhook }: { webhook: Webhook }) {
  const { t } = useTranslation("integrations");
  if (webhook.direction === "incoming")
    return <p className={styles.detail}>{t("madeBy", { name: webhook.created_by })}</p>;
  const what = webhook.event_types.includes("*")
    ? t("events.all")
    : webhook.event_types.join() === "m.room.message"
      ? t("events.messages")
      : webhook.event_types.join(", ");
  const filter =
    webhook.keywords.length > 0 ? t("withWords", { what, words: webhook.keywords.join(", ") }) : what;
  return (
    <>
      <p className={styles.address}>{webhook.url}</p>
      <p className={styles.detail}>
        {filter} · {t("madeBy", { name: webhook.created_by })}
      </p>
    </>
  );
}

function Trouble({ webhook: { state, state_since: since, state_reason: reason } }: { webhook: Webhook }) {
  const { t } = useTranslation("integrations");
  const { moment } = useTimes();
  return (
    <div className={cx(styles.trouble, state === "failing" && styles.fails)}>
      <b>{t(state === "off" ? "offSince" : "failingSince", { time: since ? moment(since) : "–" })}</b>
      {reason && <Reason said={reason} />}
    </div>
  );
}
