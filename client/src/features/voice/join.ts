import { useMemo } from "react";
import { CallsUnsupported, type JoinOptions, supportsCalls } from "~/calls/calls";
import { callSettings } from "~/calls/settings";
import { openDialog } from "~/hooks/dialogs";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import type { RoomId, UserId } from "~/matrix/ids";
import { toast } from "~/ui/toast";

/** Ways into a call with one click; they say why if it does not work. */
interface JoinVoice {
  join: (roomId: RoomId, options?: JoinOptions) => Promise<void>;
  /** As `join`; for those who want it, after a look at their devices. */
  enter: (roomId: RoomId) => Promise<void>;
  /** Joins the call of a direct message, and lets it ring at the other one. */
  call: (roomId: RoomId, userId: UserId, withCamera: boolean) => Promise<void>;
  /** Fetches what joining needs, for when a pointer is over a channel. */
  prepare: () => void;
}

export function useJoinVoice(): JoinVoice {
  const { t } = useTranslation("voice");
  const { calls } = useSession();
  return useMemo(() => {
    const explain = (error: unknown) => {
      const text = error instanceof CallsUnsupported ? t("unsupported") : t("joinFailed");
      toast({ text, tone: "danger" });
    };
    return {
      join: (roomId, options = {}) => calls.join(roomId, options).catch(explain),
      enter: async (roomId) => {
        const wantsLook = callSettings.getState().looksFirst && supportsCalls();
        if (wantsLook && calls.current.peek("current").call?.roomId !== roomId) {
          openDialog({ kind: "prejoin", roomId });
        } else await calls.join(roomId).catch(explain);
      },
      call: (roomId, userId, withCamera) => calls.callPerson(roomId, userId, withCamera).catch(explain),
      prepare: () => calls.prepare(),
    };
  }, [calls, t]);
}
