import type { TFunction } from "i18next";
import { useTranslation } from "~/i18n/use-translation";
import type { Message } from "~/matrix/timeline";

const LENGTH_MAX = 300;

/** A message in one line: its words, or what it is. */
export function useSummary(message: Message): string {
  const { t } = useTranslation("timeline");
  return summaryOf(t, message);
}

export function summaryOf(t: TFunction<"timeline">, { body, text }: Message): string {
  const words = text.slice(0, LENGTH_MAX).replace(/\s+/g, " ");
  switch (body.kind) {
    case "text":
    case "location":
      return words;
    case "redacted":
    case "decrypting":
    case "undecryptable":
      return t(`kind.${body.kind}`);
    case "unknown":
      return words || t("kind.unknown");
    default:
      return words ? `${t(`kind.${body.kind}`)}: ${words}` : t(`kind.${body.kind}`);
  }
}
