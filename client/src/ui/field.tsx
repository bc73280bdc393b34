import { Check } from "lucide-react";
import type { ReactNode } from "react";
import { Checkbox as AriaCheckbox } from "react-aria-components/Checkbox";
import { Switch as AriaSwitch, FieldError, Text } from "react-aria-components/Switch";
import {
  TextField as AriaTextField,
  type TextFieldProps as AriaTextFieldProps,
  Input,
  Label,
  TextArea,
} from "react-aria-components/TextField";
import { cx } from "./cx";
import styles from "./field.module.css";

interface TextFieldProps extends Omit<AriaTextFieldProps, "className" | "children"> {
  label: string;
  hint?: string | undefined;
  /** Said and shown instead of the hint while the field `isInvalid`. */
  error?: string | undefined;
  placeholder?: string | undefined;
  isMultiline?: boolean;
  /** The label is said but not shown, where the place makes it clear. */
  hidesLabel?: boolean;
  after?: ReactNode;
}

/** A line (or several) of text with its label, its hint and its error. */
export function TextField({
  label,
  hint,
  error,
  placeholder,
  isMultiline,
  hidesLabel,
  after,
  ...rest
}: TextFieldProps) {
  const isInvalid = rest.isInvalid ?? error !== undefined;
  return (
    <AriaTextField {...rest} isInvalid={isInvalid} className={styles.field ?? ""}>
      <Label className={hidesLabel ? "sr-only" : (styles.label ?? "")}>{label}</Label>
      <div className={styles.row}>
        {isMultiline ? (
          <TextArea
            rows={3}
            {...(placeholder ? { placeholder } : {})}
            className={cx(styles.input, styles.area)}
          />
        ) : (
          <Input {...(placeholder ? { placeholder } : {})} className={styles.input ?? ""} />
        )}
        {after}
      </div>
      {hint && !isInvalid && (
        <Text slot="description" className={styles.hint ?? ""}>
          {hint}
        </Text>
      )}
      <FieldError className={styles.error ?? ""}>{error}</FieldError>
    </AriaTextField>
  );
}

interface SwitchProps {
  label: string;
  hint?: string | undefined;
  isSelected: boolean;
  isDisabled?: boolean;
  onChange: (isSelected: boolean) => void;
}

/** On or off, at once. */
export function Switch({ label, hint, isSelected, isDisabled, onChange }: SwitchProps) {
  return (
    <AriaSwitch
      isSelected={isSelected}
      isDisabled={isDisabled ?? false}
      onChange={onChange}
      className={styles.switch ?? ""}
    >
      <span className={styles.switchText}>
        <span>{label}</span>
        {hint && <span className={styles.hint}>{hint}</span>}
      </span>
      <span className={styles.track} aria-hidden>
        <span className={styles.thumb} />
      </span>
    </AriaSwitch>
  );
}

/** Said with what is sent, not at once. */
export function Checkbox({
  label,
  isSelected,
  onChange,
}: Pick<SwitchProps, "label" | "isSelected" | "onChange">) {
  return (
    <AriaCheckbox isSelected={isSelected} onChange={onChange} className={styles.checkbox ?? ""}>
      <span className={styles.box} aria-hidden>
        {isSelected && <Check size={12} strokeWidth={3} />}
      </span>
      {label}
    </AriaCheckbox>
  );
}
