/** A list to show, and whether what is different from the list before lies at its start. */
interface Step<T> {
  readonly items: readonly T[];
  readonly shift: boolean;
}

/**
 * How a virtual list comes from one set of rows to another without moving what is on the screen: a change at the start keeps
 * the distance to the end, any other keeps the distance to the start, so a change at both takes two steps.
 */
export function stepsBetween<T extends { readonly key: string }>(
  before: readonly T[],
  after: readonly T[],
): readonly [Step<T>] | readonly [Step<T>, Step<T>] {
  const last: Step<T> = { items: after, shift: false };
  const places = new Map(after.map(({ key }, index) => [key, index]));
  const from = before.findIndex(({ key }) => places.has(key));
  const anchor = before[from];
  if (!anchor) return [last];
  const to = places.get(anchor.key) ?? 0;
  const grownAtStart = to - from;
  if (grownAtStart === 0) return [last];
  if (after.length - before.length === grownAtStart) return [{ items: after, shift: true }];
  return [{ items: [...after.slice(0, to), ...before.slice(from)], shift: true }, last];
}
