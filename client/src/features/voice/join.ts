import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { CallsUnsupported } from "~/calls/calls";
import { useSession } from "~/hooks/session";
import type { RoomId } from "~/matrix/ids";
import { toast } from "~/ui/toast";

export interface JoinVoice {
  /** Joins with one click; says why if it does not work. */
  join: (roomId: RoomId, options?: { withCamera?: boolean }) => Promise<boolean>;
  /** Fetches what joining needs, for when a pointer is over a channel. */
  prepare: () => void;
}

export function useJoinVoice(): JoinVoice {
  const { t } = useTranslation("voice");
  const { calls } = useSession();
  const join = useCallback<JoinVoice["join"]>(
    async (roomId, options = {}) => {
      try {
        await calls.join(roomId, options);
        return true;
      } catch (error) {
        const text = error instanceof CallsUnsupported ? t("unsupported") : t("joinFailed");
        toast({ text, tone: "danger" });
        return false;
      }
    },
    [calls, t],
  );
  const prepare = useCallback(() => calls.prepare(), [calls]);
  return { join, prepare };
}
