import type { LucideIcon } from "lucide-react";
import { Button } from "react-aria-components/Button";
import { cx } from "~/ui/cx";
import { WithTooltip } from "~/ui/tooltip";
import styles from "./servers.module.css";

/** One of the rail's own acts. */
export function RailButton({
  icon: Icon,
  label,
  isDashed,
  onPress,
}: {
  icon: LucideIcon;
  label: string;
  isDashed?: boolean;
  onPress: () => void;
}) {
  return (
    <WithTooltip text={label}>
      <Button
        aria-label={label}
        onPress={onPress}
        className={cx(styles.item, styles.ghost, isDashed && styles.dashed)}
      >
        <Icon size={18} strokeWidth={1.9} aria-hidden />
      </Button>
    </WithTooltip>
  );
}
