import { Check } from "lucide-react";
import { Checkbox as AriaCheckbox } from "react-aria-components/Checkbox";
import styles from "./checkbox.module.css";

interface CheckboxProps {
  label: string;
  hint?: string;
  isDisabled?: boolean;
  isSelected: boolean;
  onChange: (isSelected: boolean) => void;
}

/** Said with what is sent, not at once; a `Switch` is at once. */
export function Checkbox({ label, hint, isDisabled = false, isSelected, onChange }: CheckboxProps) {
  return (
    <AriaCheckbox
      isSelected={isSelected}
      isDisabled={isDisabled}
      onChange={onChange}
      className={styles.checkbox ?? ""}
    >
      <span className={styles.box} aria-hidden>
        {isSelected && <Check size={12} strokeWidth={3} />}
      </span>
      {hint ? (
        <span>
          <b>{label}:</b> {hint}
        </span>
      ) : (
        label
      )}
    </AriaCheckbox>
  );
}
