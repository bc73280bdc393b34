import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Autocomplete } from "react-aria-components/Autocomplete";
import { ListBox, ListBoxItem } from "react-aria-components/ListBox";
import { Input, Label, SearchField } from "react-aria-components/SearchField";
import { Button } from "./button";
import field from "./field.module.css";
import styles from "./picker.module.css";

interface PickerProps<Item> {
  /** What is typed, and what is found by it. */
  typed: string;
  onType: (typed: string) => void;
  found: readonly Item[];
  idOf: (item: Item) => string;
  nameOf: (item: Item) => string;
  /** How something found looks in its line. */
  line: (item: Item) => ReactNode;
  onPick: (item: Item) => void;
  /** What is chosen already, as buttons that take it back. */
  chosen: readonly { id: string; name: string }[];
  onRemove: (id: string) => void;
  takesFocus?: boolean;
  /** A few lines high, where more stands below. */
  isLow?: boolean;
  words: {
    search: string;
    hint: string;
    results: string;
    chosen: string;
    /** What stands where nothing was found. */
    nothing: string;
    remove: (name: string) => string;
  };
}

/** Several of many, found by typing; focus stays in the field while arrows move through what is found. */
export function Picker<Item>({
  typed,
  onType,
  found,
  idOf,
  nameOf,
  line,
  onPick,
  chosen,
  onRemove,
  takesFocus = true,
  isLow = false,
  words,
}: PickerProps<Item>) {
  return (
    <div className={styles.picker}>
      {chosen.length > 0 && (
        <ul className={styles.chosen} aria-label={words.chosen}>
          {chosen.map(({ id, name }) => (
            <li key={id}>
              <Button aria-label={words.remove(name)} onPress={() => onRemove(id)}>
                {name}
                <X size={14} strokeWidth={2} aria-hidden />
              </Button>
            </li>
          ))}
        </ul>
      )}
      <Autocomplete inputValue={typed} onInputChange={onType}>
        <SearchField autoFocus={takesFocus} className={field.field ?? ""}>
          <Label className={field.label ?? ""}>{words.search}</Label>
          <div className={field.row}>
            <Input placeholder={words.hint} className={field.input ?? ""} />
          </div>
        </SearchField>
        <ListBox
          aria-label={words.results}
          className={(isLow ? styles.low : styles.results) ?? ""}
          renderEmptyState={() => <p className={styles.none}>{words.nothing}</p>}
          onAction={(key) => {
            const item = found.find((one) => idOf(one) === key);
            if (item) onPick(item);
          }}
        >
          {found.map((item) => (
            <ListBoxItem
              key={idOf(item)}
              id={idOf(item)}
              textValue={nameOf(item)}
              className={styles.result ?? ""}
            >
              {line(item)}
            </ListBoxItem>
          ))}
        </ListBox>
      </Autocomplete>
    </div>
  );
}
