import type { LucideIcon } from "lucide-react";
import { Label, Radio, RadioGroup, Text } from "react-aria-components/RadioGroup";
import styles from "./segments.module.css";

interface SegmentsProps<Id extends string> {
  label: string;
  hint?: string | undefined;
  value: Id | undefined;
  options: readonly { id: Id; label: string; icon?: LucideIcon }[];
  isDisabled?: boolean;
  onChange: (id: Id) => void;
}

/** One of a few choices that are all in sight. `undefined` shows none as chosen. */
export function Segments<Id extends string>({
  label,
  hint,
  value,
  options,
  isDisabled,
  onChange,
}: SegmentsProps<Id>) {
  return (
    <RadioGroup
      className={styles.group ?? ""}
      orientation="horizontal"
      value={value ?? null}
      isDisabled={isDisabled ?? false}
      onChange={(id) => {
        const chosen = options.find((option) => option.id === id);
        if (chosen) onChange(chosen.id);
      }}
    >
      <Label className={styles.label ?? ""}>{label}</Label>
      <div className={styles.options}>
        {options.map(({ id, label: name, icon: Icon }) => (
          <Radio key={id} value={id} className={styles.option ?? ""}>
            {Icon && <Icon size={16} strokeWidth={1.9} aria-hidden />}
            {name}
          </Radio>
        ))}
      </div>
      {hint && (
        <Text slot="description" className={styles.hint ?? ""}>
          {hint}
        </Text>
      )}
    </RadioGroup>
  );
}
