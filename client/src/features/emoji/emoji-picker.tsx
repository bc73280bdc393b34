import { lazy, Suspense } from "react";
import { useTranslation } from "~/i18n/use-translation";
import { Spinner } from "~/ui/marks";
import styles from "./emoji.module.css";
import { noteEmoji } from "./frequent";

const Picker = lazy(() => import("./picker").then(({ Picker }) => ({ default: Picker })));

interface EmojiPickerProps {
  onPick: (emoji: string) => void;
}

/** All emoji with a search, the often used first: what a popover or dialog holds. Fetched when first opened. */
export function EmojiPicker({ onPick }: EmojiPickerProps) {
  const { t } = useTranslation("emoji");
  return (
    <div className={styles.frame}>
      <Suspense fallback={<Spinner label={t("loading")} />}>
        <Picker
          onPick={(emoji) => {
            noteEmoji(emoji);
            onPick(emoji);
          }}
        />
      </Suspense>
    </div>
  );
}
