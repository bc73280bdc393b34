import { useState } from "react";
import { useAct } from "~/hooks/act";
import { useTranslation } from "~/i18n/use-translation";
import type { Webhook } from "~/matrix/webhooks";
import { FormDialog } from "~/ui/form-dialog";
import { Secrets } from "./secrets";

interface RotateDialogProps {
  name: string;
  rotate: () => Promise<Webhook>;
  onClose: () => void;
}

/** Asks, and then shows the new secret. */
export function RotateDialog({ name, rotate, onClose }: RotateDialogProps) {
  const { t } = useTranslation("integrations");
  const [made, setMade] = useState<Webhook>();
  const { error, isPending, run } = useAct();
  return (
    <FormDialog
      title={t(made ? "secret.title" : "rotate.title", { name })}
      action={t("rotate.action")}
      isDangerous
      isPending={isPending}
      failure={error}
      result={made && <Secrets webhook={made} />}
      onSubmit={() => void run(async () => setMade(await rotate()))}
      onClose={onClose}
    >
      <p>{t("rotate.text")}</p>
    </FormDialog>
  );
}
