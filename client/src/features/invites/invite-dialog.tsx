import { useState } from "react";
import { useAct } from "~/hooks/act";
import { useRoom } from "~/hooks/rooms";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { FoundPerson } from "~/matrix/hierarchy";
import type { RoomId } from "~/matrix/ids";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { Notice } from "~/ui/marks";
import { toast } from "~/ui/toast";
import { PeoplePicker } from "./people-picker";

/** Invites people by name or ID, or hands out a link. */
export function InviteDialog({ roomId, onClose }: { roomId: RoomId; onClose: () => void }) {
  const { t } = useTranslation("invites");
  const { membership } = useSession();
  const room = useRoom(roomId);
  const [chosen, setChosen] = useState<readonly FoundPerson[]>([]);
  const { isPending, error, run } = useAct();
  const partners = [...new Set(chosen.flatMap(({ partnerServer }) => partnerServer ?? []))];

  async function invite() {
    const invited: FoundPerson[] = [];
    const isDone = await run(async () => {
      for (const person of chosen) {
        await membership.invite(roomId, person.userId);
        invited.push(person);
      }
    });
    setChosen((before) => before.filter((person) => !invited.includes(person)));
    if (isDone) {
      toast({ text: t("invited", { count: invited.length }) });
      onClose();
    }
  }

  async function copyLink() {
    const isDone = await run(() =>
      navigator.clipboard.writeText(`${window.location.origin}/room/${encodeURIComponent(roomId)}`),
    );
    if (isDone) toast({ text: t("linkCopied") });
  }

  return (
    <Dialog
      isOpen
      title={t("inviteTo", { name: room?.name })}
      onClose={onClose}
      footer={
        <>
          {room?.access !== "invite" && (
            <Button kind="quiet" onPress={() => void copyLink()}>
              {t("copyLink")}
            </Button>
          )}
          <Button
            kind="primary"
            isDisabled={chosen.length === 0}
            isPending={isPending}
            onPress={() => void invite()}
          >
            {t("invite")}
          </Button>
        </>
      }
    >
      <PeoplePicker chosen={chosen} onChange={setChosen} />
      {partners.length > 0 && (
        <Notice tone="ember">{t("leavesCompany", { servers: partners.join(", ") })}</Notice>
      )}
      {error && <Notice tone="danger">{error}</Notice>}
    </Dialog>
  );
}
