import { useTranslation } from "react-i18next";
import { isForbidden } from "~/matrix/moderation";

/** A sentence about why an act of moderation did not happen: most often somebody's role changed meanwhile. */
export function useFailureText(): (error: unknown) => string {
  const { t } = useTranslation("moderation");
  return (error) => {
    if (isForbidden(error)) return t("notAllowed");
    return t("failed", { reason: error instanceof Error ? error.message : String(error) });
  };
}
