import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAct } from "~/hooks/act";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { FoundPerson } from "~/matrix/hierarchy";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { Notice } from "~/ui/marks";
import { PeoplePicker } from "./people-picker";

/** Begins, or finds again, the direct message with somebody. */
export function NewMessageDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("invites");
  const { directs } = useSession();
  const navigate = useNavigate();
  const [chosen, setChosen] = useState<readonly FoundPerson[]>([]);
  const { isPending, error, run } = useAct();
  const person = chosen[0];

  async function open() {
    if (!person) return;
    const isDone = await run(async () => {
      const roomId = await directs.open(person.userId);
      await navigate({ to: "/room/$roomId", params: { roomId } });
    });
    if (isDone) onClose();
  }

  return (
    <Dialog
      isOpen
      title={t("newMessage")}
      onClose={onClose}
      footer={
        <Button kind="primary" isDisabled={!person} isPending={isPending} onPress={() => void open()}>
          {t("write")}
        </Button>
      }
    >
      <PeoplePicker isSingle chosen={chosen} onChange={setChosen} />
      {person?.partnerServer && (
        <Notice tone="ember">{t("leavesCompany", { servers: person.partnerServer })}</Notice>
      )}
      {error && <Notice tone="danger">{error}</Notice>}
    </Dialog>
  );
}
