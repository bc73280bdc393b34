import { useState } from "react";
import { useAct } from "~/hooks/act";
import { useTranslation } from "~/i18n/use-translation";
import type { Webhook } from "~/matrix/webhooks";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { Notice } from "~/ui/marks";
import { Secrets } from "./secrets";

interface RotateDialogProps {
  name: string;
  rotate: () => Promise<Webhook>;
  onClose: () => void;
}

/** Asks, and then shows the new secret, in one window: two would lose the place of the focus between them. */
export function RotateDialog({ name, rotate, onClose }: RotateDialogProps) {
  const { t } = useTranslation(["integrations", "ui"]);
  const [made, setMade] = useState<Webhook>();
  const { error, isPending, run } = useAct();
  return (
    <Dialog
      isOpen
      title={t(made ? "secret.title" : "rotate.title", { name })}
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
            <Button
              kind="danger"
              isPending={isPending}
              onPress={() => void run(async () => setMade(await rotate()))}
            >
              {t("rotate.action")}
            </Button>
          </>
        )
      }
    >
      {made ? <Secrets webhook={made} /> : <p>{t("rotate.text")}</p>}
      {error && <Notice tone="danger">{error}</Notice>}
    </Dialog>
  );
}
