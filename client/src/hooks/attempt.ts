import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";

/** Changes that the server may not take: `failure` is a sentence about the last one that it did not. */
export function useAttempt(): {
  failure: string | undefined;
  isPending: boolean;
  attempt: (change: () => Promise<void>) => Promise<boolean>;
} {
  const { t } = useTranslation("ui");
  const [failure, setFailure] = useState<string>();
  const [pending, setPending] = useState(0);
  const attempt = useCallback(
    async (change: () => Promise<void>) => {
      setFailure(undefined);
      setPending((count) => count + 1);
      try {
        await change();
        return true;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        setFailure(t("somethingFailed", { reason }));
        return false;
      } finally {
        setPending((count) => count - 1);
      }
    },
    [t],
  );
  return { failure, isPending: pending > 0, attempt };
}
