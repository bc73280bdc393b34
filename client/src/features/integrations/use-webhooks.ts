import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { useFailureText } from "~/hooks/act";
import { useSession } from "~/hooks/session";
import { useTranslation } from "~/i18n/use-translation";
import { failureOf } from "~/matrix/failure";
import type { RoomId } from "~/matrix/ids";
import { type Direction, Webhooks } from "~/matrix/webhooks";

/** The webhooks of a room, and what changes them: the list is asked for anew after each change. */
export function useWebhooks(roomId: RoomId) {
  const { own } = useSession();
  const queries = useQueryClient();
  const webhooks = useMemo(() => new Webhooks(own), [own]);
  const queryKey = ["webhooks", roomId] as const;
  const list = useQuery({ queryKey, queryFn: ({ signal }) => webhooks.list(roomId, signal) });
  const renew = () => queries.invalidateQueries({ queryKey });
  return { webhooks, list, renew };
}

/** Why something about a webhook was refused, as a sentence. */
export function useRefusalText(direction: Direction): (error: unknown) => string {
  const { t } = useTranslation("integrations");
  const usual = useFailureText();
  return (error) => {
    const { code, message } = failureOf(error);
    if (code === "M_BAD_STATE") return t("refused.encrypted");
    if (code === "M_INVALID_PARAM")
      return t(direction === "outgoing" ? "refused.target" : "refused.invalid", { reason: message });
    return usual(error);
  };
}
