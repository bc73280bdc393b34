import i18next, { type i18n as I18n, type Namespace, type TFunction } from "i18next";
import { useSyncExternalStore } from "react";

interface Translation<Names extends Namespace> {
  /** The same function for as long as the language is the same. */
  readonly t: TFunction<Names>;
  readonly i18n: I18n;
}

/** What is there already, and what is on its way, by language and namespaces: as many as there are views of different texts. */
const known = new Map<string, Translation<Namespace>>();
const coming = new Map<string, Promise<void>>();
/** What could not be fetched, until somebody asks for another try. */
const failed = new Map<string, Error>();

/**
 * The texts of a namespace, or of several of which the first is meant where none is named, in the chosen language; suspends
 * while they are fetched, and throws if they cannot be. Rows of the timeline ask in several places each: it costs a look into a map and keeps nothing for each.
 */
export function useTranslation<Names extends Namespace = "ui">(names?: Names): Translation<Names> {
  const language = useSyncExternalStore(watchLanguage, readLanguage);
  const wanted = names ?? "ui";
  const key = `${language}/${wanted}`;
  const translation = known.get(key);
  if (translation) return translation as unknown as Translation<Names>;
  const failure = failed.get(key);
  if (failure) throw failure;
  const all: readonly string[] = typeof wanted === "string" ? [wanted] : wanted;
  const missing = missingOf(language, all);
  // Thrown, because `use` must be called either way or not at all, and nearly always there is nothing to wait for.
  if (missing.length > 0) throw fetchOnce(key, language, missing);
  const made = { t: i18next.getFixedT(language, wanted), i18n: i18next };
  known.set(key, made as unknown as Translation<Namespace>);
  return made as unknown as Translation<Names>;
}

/** Another try for texts that could not be fetched; before what needs them is shown again. */
export function forgetFailedTexts(): void {
  failed.clear();
}

function watchLanguage(onChange: () => void): () => void {
  i18next.on("languageChanged", onChange);
  return () => i18next.off("languageChanged", onChange);
}

const readLanguage = (): string => i18next.language;

function fetchOnce(key: string, language: string, names: readonly string[]): Promise<void> {
  const known = coming.get(key);
  if (known) return known;
  const fetched = fetchTexts(language, names)
    .catch((error: Error) => void failed.set(key, error))
    .finally(() => coming.delete(key));
  coming.set(key, fetched);
  return fetched;
}

/** What i18next counts as loaded includes what failed. */
const missingOf = (language: string, names: readonly string[]): string[] =>
  names.filter((name) => !i18next.hasResourceBundle(language, name));

/** Fetches them, a second time where the first failed: on a train the next request often comes through. */
async function fetchTexts(language: string, names: readonly string[]): Promise<void> {
  await i18next.loadNamespaces(names);
  const missing = missingOf(language, names);
  if (missing.length > 0) await i18next.reloadResources([language], missing);
  const still = missingOf(language, names);
  if (still.length > 0) throw new Error(`the texts of ${still.join(", ")} could not be fetched`);
}
