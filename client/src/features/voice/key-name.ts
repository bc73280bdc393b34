const NAMES: Readonly<Record<string, string>> = {
  Backquote: "^ / `",
  Space: "␣ Space",
  CapsLock: "Caps Lock",
};

/** What is written on a key, from its `KeyboardEvent.code`, as far as codes tell. */
export function keyName(code: string): string {
  const known = NAMES[code];
  if (known) return known;
  const plain = code.replace(/^(Key|Digit)/, "").replace(/^Numpad/, "Num ");
  return plain.replace(/(Left|Right)$/, " ($1)");
}
