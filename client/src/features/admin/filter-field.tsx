import { Search } from "lucide-react";
import { useEffect, useState } from "react";
import { TextField } from "~/ui/field";
import { useFilters } from "./search";

const PAUSE_MS = 250;

/** Searches once somebody stops typing. */
export function FilterField({ label }: { label: string }) {
  const { q = "", set } = useFilters();
  const [text, setText] = useState(q);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `set` is new with each render; only the text counts.
  useEffect(() => {
    if (text === q) return;
    const timer = setTimeout(() => set({ q: text }), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <TextField
      label={label}
      hidesLabel
      placeholder={label}
      type="search"
      value={text}
      onChange={setText}
      after={<Search size={16} aria-hidden />}
    />
  );
}
