import { useCallback, useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { failureOf } from "~/matrix/failure";
import { toast } from "~/ui/toast";

/** A sentence about why something failed. */
export function useFailureText(): (error: unknown) => string {
  const { t } = useTranslation("failures");
  return useCallback(
    (error) => {
      const { code, message } = failureOf(error);
      return t([code, "other"], { reason: message });
    },
    [t],
  );
}

interface Act {
  isPending: boolean;
  error: string | undefined;
  /** Runs it; resolves to whether it succeeded. A button that is `isPending` meanwhile cannot be pressed again. */
  run: (act: () => Promise<unknown>) => Promise<boolean>;
}

/** One thing that a form does at the server: pending, failed or done. */
export function useAct(): Act {
  const describe = useFailureText();
  const [state, setState] = useState<{ isPending: boolean; error?: string }>({ isPending: false });
  const run = useCallback(
    async (act: () => Promise<unknown>) => {
      setState({ isPending: true });
      try {
        await act();
        setState({ isPending: false });
        return true;
      } catch (error) {
        setState({ isPending: false, error: describe(error) });
        return false;
      }
    },
    [describe],
  );
  return { isPending: state.isPending, error: state.error, run };
}

/** Runs what has no form of its own; a failure is told at the window's edge. */
export function useAttempt(): (act: () => Promise<unknown>) => void {
  const describe = useFailureText();
  return useCallback(
    (act) => {
      act().catch((error: unknown) => toast({ text: describe(error), tone: "danger" }));
    },
    [describe],
  );
}
