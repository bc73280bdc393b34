import i18next, { type BackendModule } from "i18next";
import { initReactI18next } from "react-i18next";

export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

const STORED_AS = "echorift.language";
const files = import.meta.glob<Record<string, unknown>>("./{en,de}/*.json", { import: "default" });

/** One file for each language and namespace (a feature's name), fetched when first used. */
const backend: BackendModule = {
  type: "backend",
  init() {},
  read(language, namespace, done) {
    const load = files[`./${language}/${namespace}.json`];
    if (!load) return done(new Error(`no texts for ${language}/${namespace}`), false);
    load().then(
      (texts) => done(null, texts as Record<string, string>),
      (error: Error) => done(error, false),
    );
  },
};

/** The chosen language, else the browser's, else English. */
export function preferredLanguage(): Language {
  const wanted = [localStorage.getItem(STORED_AS), ...navigator.languages].map((tag) => tag?.slice(0, 2));
  return (
    LANGUAGES.find(
      (language) => language === wanted.find((tag) => LANGUAGES.some((known) => known === tag)),
    ) ?? "en"
  );
}

/** Starts the texts; settles when the first ones are there. */
export async function startTexts(): Promise<void> {
  const lng = preferredLanguage();
  document.documentElement.lang = lng;
  await i18next
    .use(backend)
    .use(initReactI18next)
    .init({
      lng,
      fallbackLng: "en",
      ns: ["ui"],
      defaultNS: "ui",
      interpolation: { escapeValue: false },
      react: { useSuspense: true },
    });
}

export async function setLanguage(language: Language): Promise<void> {
  localStorage.setItem(STORED_AS, language);
  document.documentElement.lang = language;
  await i18next.changeLanguage(language);
}
