import type { LucideIcon } from "lucide-react";
import { Label, Radio, RadioGroup } from "react-aria-components/RadioGroup";
import styles from "./choices.module.css";
import { cx } from "./cx";

interface Choice<Id extends string> {
  id: Id;
  label: string;
  hint?: string | undefined;
  icon?: LucideIcon;
}

interface ChoicesProps<Id extends string> {
  label: string;
  hidesLabel?: boolean;
  value: Id;
  choices: readonly Choice<Id>[];
  isDisabled?: boolean;
  onChange: (id: Id) => void;
}

/** One of a few choices that are all shown, each with a word of explanation. */
export function Choices<Id extends string>({
  label,
  hidesLabel,
  value,
  choices,
  isDisabled,
  onChange,
}: ChoicesProps<Id>) {
  return (
    <RadioGroup
      value={value}
      isDisabled={isDisabled ?? false}
      onChange={(id) => {
        const chosen = choices.find((choice) => choice.id === id);
        if (chosen) onChange(chosen.id);
      }}
      className={styles.group ?? ""}
    >
      <Label className={hidesLabel ? "sr-only" : (styles.label ?? "")}>{label}</Label>
      {choices.map(({ id, label: name, hint, icon: Icon }) => (
        <Radio key={id} value={id} className={cx(styles.choice)}>
          {Icon && <Icon size={20} strokeWidth={1.9} aria-hidden />}
          <span className={styles.text}>
            <span className={styles.name}>{name}</span>
            {hint && <span className={styles.hint}>{hint}</span>}
          </span>
          <i className={styles.mark} aria-hidden />
        </Radio>
      ))}
    </RadioGroup>
  );
}
