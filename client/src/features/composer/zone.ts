/** The screen or panel that holds an element: what is dropped or pasted there is for its composer. */
export const zoneOf = (element: Element | null): HTMLElement | null =>
  element?.closest<HTMLElement>("aside, [role=complementary], main") ?? null;
