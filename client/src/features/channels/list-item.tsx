import type { CSSProperties, ReactNode, Ref } from "react";

/** The element around each line of a virtual list, with the role that makes it a list to screen readers. */
export function ListItem({
  children,
  style,
  ref,
}: {
  children: ReactNode;
  style: CSSProperties;
  index: number;
  ref?: Ref<HTMLDivElement>;
}) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: the virtual list positions these, and its container is no <ul>.
    <div ref={ref} role="listitem" style={style}>
      {children}
    </div>
  );
}
