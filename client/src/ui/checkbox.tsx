import { Check } from "lucide-react";
import { Checkbox as AriaCheckbox } from "react-aria-components/Checkbox";
import styles from "./checkbox.module.css";

interface CheckboxProps {
  label: string;
  isSelected: boolean;
  onChange: (isSelected: boolean) => void;
}

/** Said with what is sent, not at once; a `Switch` is at once. */
export function Checkbox({ label, isSelected, onChange }: CheckboxProps) {
  return (
    <AriaCheckbox isSelected={isSelected} onChange={onChange} className={styles.checkbox ?? ""}>
      <span className={styles.box} aria-hidden>
        {isSelected && <Check size={12} strokeWidth={3} />}
      </span>
      {label}
    </AriaCheckbox>
  );
}
