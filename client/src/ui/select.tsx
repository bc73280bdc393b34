import { ChevronDown } from "lucide-react";
import {
  Select as AriaSelect,
  Button,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  SelectValue,
} from "react-aria-components/Select";
import styles from "./select.module.css";

interface SelectProps<Id extends string> {
  label: string;
  hidesLabel?: boolean;
  value: Id;
  options: readonly { id: Id; label: string }[];
  isDisabled?: boolean;
  onChange: (id: Id) => void;
}

/** One of a few choices. */
export function Select<Id extends string>({
  label,
  hidesLabel,
  value,
  options,
  isDisabled,
  onChange,
}: SelectProps<Id>) {
  return (
    <AriaSelect
      className={styles.select ?? ""}
      value={value}
      isDisabled={isDisabled ?? false}
      onChange={(key) => {
        const chosen = options.find(({ id }) => id === key);
        if (chosen) onChange(chosen.id);
      }}
    >
      <Label className={hidesLabel ? "sr-only" : (styles.label ?? "")}>{label}</Label>
      <Button className={styles.button ?? ""}>
        <SelectValue className={styles.value ?? ""} />
        <ChevronDown size={16} strokeWidth={1.9} aria-hidden />
      </Button>
      <Popover className={styles.popover ?? ""} offset={6}>
        <ListBox className={styles.list ?? ""}>
          {options.map((option) => (
            <ListBoxItem
              key={option.id}
              id={option.id}
              textValue={option.label}
              className={styles.option ?? ""}
            >
              {option.label}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}
