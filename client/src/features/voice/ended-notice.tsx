import type { EndedCall } from "~/calls/types";
import { useMember, useRoom } from "~/hooks/rooms";
import { useSession, useSlice } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { UserId } from "~/matrix/ids";
import { Button } from "~/ui/button";
import { Dialog } from "~/ui/dialog";
import { useJoinVoice } from "./join";

/** Says why a call is over that one did not leave oneself. */
export function EndedNotice() {
  const { ended } = useSlice(useSession().calls.ended, "ended");
  return ended ? <EndedDialog ended={ended} /> : null;
}

function EndedDialog({ ended }: { ended: EndedCall }) {
  const { t } = useTranslation("voice");
  const { calls, userId } = useSession();
  const { join } = useJoinVoice();
  const room = useRoom(ended.roomId);
  const by = useMember(ended.roomId, ended.by ?? (userId as UserId));
  const mayReturn = ended.kind === "lost" || ended.kind === "elsewhere" || ended.kind === "removed";
  const name = room?.name ?? "";
  return (
    <Dialog
      title={t("ended.title")}
      isOpen
      size="small"
      onClose={() => calls.dismissEnded()}
      footer={
        <>
          {mayReturn && (
            <Button
              onPress={() => {
                calls.dismissEnded();
                void join(ended.roomId);
              }}
            >
              {t("joinAgain")}
            </Button>
          )}
          <Button kind="primary" onPress={() => calls.dismissEnded()}>
            {t("ok")}
          </Button>
        </>
      }
    >
      <p>{t(`ended.${ended.kind}`, { name, by: ended.by ? by.name : "" })}</p>
      {ended.reason && <p>{t("ended.reason", { reason: ended.reason })}</p>}
    </Dialog>
  );
}
