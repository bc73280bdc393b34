import { ArrowDownToLine, ArrowUpFromLine, type LucideIcon, Plus } from "lucide-react";
import { useState } from "react";
import { useFailureText } from "~/hooks/act";
import { useRoom } from "~/hooks/rooms";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { Direction, Webhook } from "~/matrix/webhooks";
import { Button } from "~/ui/button";
import { Notice, Spinner } from "~/ui/marks";
import styles from "./integrations.module.css";
import { useWebhooks } from "./use-webhooks";
import { WebhookForm } from "./webhook-form";
import { WebhookRow } from "./webhook-row";

/** The form that is open: for a new one, or for one that is changed. */
type Open = { direction: Direction; webhook?: Webhook };

/** The ways of programs into a channel and out of it. */
export function IntegrationsPage({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation(["integrations", "ui"]);
  const { list } = useWebhooks(roomId);
  const failureText = useFailureText();
  const isEncrypted = useRoom(roomId)?.isEncrypted ?? false;
  const [open, setOpen] = useState<Open>();
  if (list.error)
    return (
      <Notice tone="danger">
        <p>{failureText(list.error)}</p>
        <Button kind="quiet" onPress={() => void list.refetch()}>
          {t("ui:retry")}
        </Button>
      </Notice>
    );
  if (!list.data) return <Spinner label={t("ui:loading")} />;
  const section = (direction: Direction, icon: LucideIcon) => (
    <Section
      direction={direction}
      icon={icon}
      hint={
        isEncrypted
          ? t(direction === "incoming" ? "refused.encrypted" : "outgoingEncrypted")
          : t(`${direction}Hint`)
      }
      canAdd={direction === "outgoing" || !isEncrypted}
      onAdd={() => setOpen({ direction })}
    >
      {list.data
        .filter((webhook) => webhook.direction === direction)
        .map((webhook) => (
          <WebhookRow
            key={webhook.id}
            roomId={roomId}
            webhook={webhook}
            onEdit={() => setOpen({ direction, webhook })}
          />
        ))}
    </Section>
  );

  return (
    <>
      {section("incoming", ArrowDownToLine)}
      {section("outgoing", ArrowUpFromLine)}
      {open && (
        <WebhookForm
          roomId={roomId}
          direction={open.direction}
          webhook={open.webhook}
          onClose={() => setOpen(undefined)}
        />
      )}
    </>
  );
}

interface SectionProps {
  direction: Direction;
  icon: LucideIcon;
  hint: string;
  canAdd: boolean;
  onAdd: () => void;
  children: readonly React.ReactNode[];
}

function Section({ direction, icon: Icon, hint, canAdd, onAdd, children }: SectionProps) {
  const { t } = useTranslation("integrations");
  return (
    <section aria-label={t(direction)} className={styles.section}>
      <header className={styles.head}>
        <h3>
          <Icon size={16} strokeWidth={1.9} aria-hidden /> {t(direction)}
        </h3>
        {canAdd && (
          <Button icon={Plus} onPress={onAdd} aria-label={t(`${direction}Add`)}>
            {t("add")}
          </Button>
        )}
      </header>
      <p className={styles.hint}>{hint}</p>
      {children.length > 0 ? (
        <ul className={styles.rows}>{children}</ul>
      ) : (
        <p className={styles.none}>{t(`${direction}None`)}</p>
      )}
    </section>
  );
}
