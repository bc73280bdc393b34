/** `(2) general – Brand`; a dot where something is new that names nobody. */
export function titleOf({
  place,
  brand,
  mentions,
  isUnread,
}: {
  place: string | undefined;
  brand: string;
  mentions: number;
  isUnread: boolean;
}): string {
  const mark = mentions > 0 ? `(${mentions > 99 ? "99+" : mentions}) ` : isUnread ? "• " : "";
  return mark + (place ? `${place} – ${brand}` : brand);
}
