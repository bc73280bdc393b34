/** A room in a space. */
export interface Child {
  readonly id: string;
  /** `undefined` if it has no valid one: it stands after all that have. */
  readonly order: string | undefined;
  readonly ts: number;
}

const VALID_ORDER = /^[\x20-\x7e]{1,50}$/;

/** A space's children by `order`, then age, then ID; those without `via` have been removed (CS API § m.space.child). */
export function sortChildren(
  events: readonly { id: string; content: Record<string, unknown>; ts: number }[],
): readonly Child[] {
  return events
    .filter(({ content }) => Array.isArray(content.via))
    .map(({ id, content, ts }) => ({ id, order: readOrder(content.order), ts }))
    .sort((a, b) => compare(a.order ?? "\x7f", b.order ?? "\x7f") || a.ts - b.ts || compare(a.id, b.id));
}

/** The changes of `order` that move a child past its next neighbour of those that `isAlike` names. */
export function movedChild(
  children: readonly Child[],
  id: string,
  by: -1 | 1,
  isAlike: (id: string) => boolean,
): readonly { id: string; order: string }[] {
  const from = children.findIndex((child) => child.id === id);
  if (from < 0) return [];
  let to = from + by;
  while (to >= 0 && to < children.length && !isAlike(children[to]?.id ?? "")) to += by;
  if (to < 0 || to >= children.length) return [];
  const moved = children.filter((child) => child.id !== id);
  const self = children[from];
  if (self) moved.splice(to, 0, self);
  return moved
    .map((child, place) => ({
      id: child.id,
      order: String((place + 1) * 10).padStart(4, "0"),
      was: child.order,
    }))
    .filter(({ order, was }) => order !== was)
    .map(({ id: changed, order }) => ({ id: changed, order }));
}

/** The servers as this person ordered them; new ones come last. What is no list of IDs orders nothing. */
export function inOwnOrder<Id extends string>(ids: readonly Id[], order: unknown): readonly Id[] {
  const places = new Map<unknown, number>(Array.isArray(order) ? order.map((id, place) => [id, place]) : []);
  const placeOf = (id: Id) => places.get(id) ?? places.size;
  return [...ids].sort((a, b) => placeOf(a) - placeOf(b));
}

function readOrder(order: unknown): string | undefined {
  return typeof order === "string" && VALID_ORDER.test(order) ? order : undefined;
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
