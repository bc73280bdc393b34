import { type EmojiPickerListComponents, EmojiPicker as Frimousse } from "frimousse";
import { useState } from "react";
import { useTranslation } from "~/i18n/use-translation";
import styles from "./emoji.module.css";
import { frequentEmoji } from "./frequent";

const COLUMNS = 9;

/** The library counts rows and columns from zero; ARIA counts from one. */
const fromOne = (index: number | undefined) => (index === undefined ? undefined : index + 1);

const COMPONENTS: Partial<EmojiPickerListComponents> = {
  CategoryHeader: ({ category, ...props }) => (
    <div {...props} className={styles.category}>
      {category.label}
    </div>
  ),
  Row: ({ children, ...props }) => (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: the role of a row comes with the props.
    <div {...props} aria-rowindex={fromOne(props["aria-rowindex"])} className={styles.row}>
      {children}
    </div>
  ),
  Emoji: ({ emoji, ...props }) => (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: the role of a cell comes with the props.
    <button type="button" {...props} aria-colindex={fromOne(props["aria-colindex"])} className={styles.emoji}>
      {emoji.emoji}
    </button>
  ),
};

export function Picker({ onPick }: { onPick: (emoji: string) => void }) {
  const { t, i18n } = useTranslation("emoji");
  const [query, setQuery] = useState("");
  return (
    <Frimousse.Root
      className={styles.picker}
      columns={COLUMNS}
      locale={i18n.language === "de" ? "de" : "en"}
      emojibaseUrl="/emoji"
      onEmojiSelect={({ emoji }) => onPick(emoji)}
    >
      <div className={styles.top}>
        <Frimousse.Search
          autoFocus
          aria-label={t("search")}
          placeholder={t("search")}
          className={styles.search}
          value={query}
          onChange={(event) => setQuery(event.target.value)}
        />
        <Frimousse.SkinToneSelector aria-label={t("skinTone")} className={styles.tone} />
      </div>
      {query === "" && (
        <ul aria-label={t("frequent")} className={styles.frequent}>
          {frequentEmoji(COLUMNS).map((emoji) => (
            <li key={emoji}>
              <button type="button" className={styles.emoji} onClick={() => onPick(emoji)}>
                {emoji}
              </button>
            </li>
          ))}
        </ul>
      )}
      <Frimousse.Viewport className={styles.viewport}>
        <Frimousse.Loading className={styles.note}>{t("loading")}</Frimousse.Loading>
        <Frimousse.Empty className={styles.note}>{t("none")}</Frimousse.Empty>
        <Frimousse.List className={styles.list} components={COMPONENTS} />
      </Frimousse.Viewport>
      <div className={styles.foot}>
        <Frimousse.ActiveEmoji>
          {({ emoji }) => (emoji ? `${emoji.emoji} ${emoji.label}` : t("choose"))}
        </Frimousse.ActiveEmoji>
      </div>
    </Frimousse.Root>
  );
}
