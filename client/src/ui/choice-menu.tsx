import { Check } from "lucide-react";
import type { ReactNode } from "react";
import { Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover } from "react-aria-components/Menu";
import styles from "./menu.module.css";

export interface ChoiceGroup {
  id: string;
  label: string;
  chosen: string;
  choices: readonly { id: string; label: string }[];
  onChoose: (id: string) => void;
}

interface ChoiceMenuProps {
  label: string;
  groups: readonly ChoiceGroup[];
  /** One element that can be pressed. */
  children: ReactNode;
}

/** A menu in which one of each group is chosen. */
export function ChoiceMenu({ label, groups, children }: ChoiceMenuProps) {
  return (
    <MenuTrigger>
      {children}
      <Popover className={styles.popover ?? ""} offset={6}>
        <Menu aria-label={label} className={styles.menu ?? ""}>
          {groups.map(({ id: group, label: title, chosen, choices, onChoose }) => (
            <MenuSection
              key={group}
              selectionMode="single"
              disallowEmptySelection
              selectedKeys={[`${group}/${chosen}`]}
              onSelectionChange={(keys) => {
                const choice = choices.find(({ id }) => keys !== "all" && keys.has(`${group}/${id}`));
                if (choice) onChoose(choice.id);
              }}
            >
              <Header className={styles.header ?? ""}>{title}</Header>
              {choices.map(({ id, label: text }) => (
                <MenuItem key={id} id={`${group}/${id}`} textValue={text} className={styles.item ?? ""}>
                  {({ isSelected }) => (
                    <>
                      <span className={styles.label}>{text}</span>
                      {isSelected && <Check size={16} strokeWidth={2} aria-hidden />}
                    </>
                  )}
                </MenuItem>
              ))}
            </MenuSection>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
