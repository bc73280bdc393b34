import { Hash, Megaphone, Terminal } from "lucide-react";
import { useMediaUrl } from "~/hooks/media";
import { useTranslation } from "~/i18n/use-translation";
import { Avatar } from "~/ui/avatar";
import { cx } from "~/ui/cx";
import styles from "./suggestions.module.css";
import type { Suggestion } from "./use-suggestions";

interface SuggestionsProps {
  id: string;
  suggestions: readonly Suggestion[];
  current: number;
  onChoose: (suggestion: Suggestion) => void;
}

export const optionId = (listId: string, index: number) => `${listId}-${index}`;

/** What could be meant, above the text. The text field keeps the focus and says which line is current. */
export function Suggestions({ id, suggestions, current, onChoose }: SuggestionsProps) {
  const { t } = useTranslation("composer");
  return (
    <div id={id} role="listbox" aria-label={t("suggestions")} className={styles.list}>
      {suggestions.map((suggestion, index) => (
        <div
          key={suggestion.id}
          id={optionId(id, index)}
          role="option"
          tabIndex={-1}
          aria-selected={index === current}
          className={cx(styles.option, index === current && styles.current)}
          ref={index === current ? (line) => line?.scrollIntoView({ block: "nearest" }) : undefined}
          // The focus stays in the text.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onChoose(suggestion)}
          onKeyDown={() => {}}
        >
          <Picture suggestion={suggestion} />
          <span className={styles.label}>{suggestion.label}</span>
          <span className={styles.hint}>{suggestion.hint}</span>
        </div>
      ))}
    </div>
  );
}

function Picture({ suggestion: { picture, label, id } }: { suggestion: Suggestion }) {
  switch (picture.kind) {
    case "person":
      return (
        <PersonPicture name={label} id={id} avatarMxc={picture.avatarMxc} isPartner={picture.isPartner} />
      );
    case "emoji":
      return <span className={styles.emoji}>{picture.emoji}</span>;
    case "channel":
      return <Hash size={17} strokeWidth={1.9} aria-hidden className={styles.icon} />;
    case "room":
      return <Megaphone size={17} strokeWidth={1.9} aria-hidden className={styles.icon} />;
    case "command":
      return <Terminal size={17} strokeWidth={1.9} aria-hidden className={styles.icon} />;
  }
}

function PersonPicture(props: {
  name: string;
  id: string;
  avatarMxc: string | undefined;
  isPartner: boolean;
}) {
  const src = useMediaUrl(props.avatarMxc, 24);
  return <Avatar name={props.name} seed={props.id} src={src} size={24} isPartner={props.isPartner} />;
}
