import * as v from "valibot";
import type { Language } from "~/i18n";

const Names = v.array(v.tuple([v.string(), v.string(), v.string(), v.array(v.string())]));

/** An emoji and what it can be found by. */
export interface EmojiName {
  readonly emoji: string;
  /** As it is typed between colons. */
  readonly code: string;
  readonly label: string;
  readonly tags: readonly string[];
}

const loads = new Map<string, Promise<readonly EmojiName[]>>();

/** All emoji with their names in this language, fetched once; none if they cannot be fetched. */
export function emojiNames(language: Language): Promise<readonly EmojiName[]> {
  const known = loads.get(language);
  if (known) return known;
  const load = fetchNames(language).catch(() => {
    loads.delete(language);
    return [];
  });
  loads.set(language, load);
  return load;
}

async function fetchNames(language: Language): Promise<readonly EmojiName[]> {
  const response = await fetch(`/emoji/${language}/names.json`);
  if (!response.ok) throw new Error(`emoji names: ${response.status}`);
  const names = v.parse(Names, await response.json());
  return names.map(([emoji, code, label, tags]) => ({ emoji, code, label, tags }));
}
