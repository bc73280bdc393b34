import type { ReactElement } from "react";
import { Tooltip, TooltipTrigger } from "react-aria-components/Tooltip";
import styles from "./tooltip.module.css";

/** Shows words beside a control on hover and focus. They repeat its label, so nothing is lost on touch. */
export function WithTooltip({ text, children }: { text: string; children: ReactElement }) {
  return (
    <TooltipTrigger delay={500} closeDelay={0}>
      {children}
      <Tooltip offset={6} className={styles.tooltip ?? ""}>
        {text}
      </Tooltip>
    </TooltipTrigger>
  );
}
