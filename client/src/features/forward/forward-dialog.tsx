import { useState } from "react";
import { useSummary } from "~/features/timeline";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId } from "~/matrix/ids";
import type { Message } from "~/matrix/timeline";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { Notice } from "~/ui/marks";
import { toast } from "~/ui/toast";
import styles from "./forward.module.css";
import { RoomPicker } from "./room-picker";

/** More is a circular, and that is what announcement channels are for. */
const TARGETS_MAX = 10;

/** Says a message again in other channels. */
export function ForwardDialog({
  roomId,
  message,
  onClose,
}: {
  roomId: RoomId;
  message: Message;
  onClose: () => void;
}) {
  const { t } = useTranslation(["forward", "ui"]);
  const summary = useSummary(message);
  const { rooms, sender } = useSession();
  const [chosen, setChosen] = useState<readonly RoomId[]>([]);
  const [hasFailed, setFailed] = useState(false);
  const isEncrypted = (id: RoomId) => rooms.summary(id)?.isEncrypted === true;
  const leavesEncryption = isEncrypted(roomId) && chosen.some((id) => !isEncrypted(id));

  function forward() {
    try {
      if (!sender.forward(roomId, message.eventId, chosen)) return setFailed(true);
    } catch {
      // The one refusal that comes at once: too much waits already.
      return setFailed(true);
    }
    const names = chosen.map((id) => rooms.summary(id)?.name ?? id);
    toast({ text: t("done", { count: chosen.length, name: names[0] }) });
    onClose();
  }

  return (
    <Dialog
      title={t("title")}
      isOpen
      onClose={onClose}
      footer={
        <>
          <Button kind="quiet" onPress={onClose}>
            {t("ui:cancel")}
          </Button>
          <Button kind="primary" isDisabled={chosen.length === 0} onPress={forward}>
            {t("send")}
          </Button>
        </>
      }
    >
      <div className={styles.stack}>
        <p className={styles.quote}>{summary}</p>
        <RoomPicker chosen={chosen} max={TARGETS_MAX} onChange={setChosen} />
        {leavesEncryption && <Notice>{t("leavesEncryption")}</Notice>}
        {hasFailed && <Notice tone="danger">{t("failed")}</Notice>}
      </div>
    </Dialog>
  );
}
