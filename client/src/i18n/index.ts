import i18next, { type BackendModule } from "i18next";

export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

const STORED_AS = "echorift.language";
type Texts = Readonly<Record<string, unknown>>;
type Bundle = () => Promise<Readonly<Record<string, Texts>>>;

/** Namespaces (a feature's name) that are fetched together. */
const bundles: Readonly<Record<Language, { first: Bundle; inside: Bundle }>> = {
  en: { first: () => import("./en/first"), inside: () => import("./en/inside") },
  de: { first: () => import("./de/first"), inside: () => import("./de/inside") },
};

/** Namespaces that are fetched when their page is opened. */
const pages = import.meta.glob<Texts>(
  "./{en,de}/{access-tokens,admin,explore,integrations,onboarding,room-settings,sessions,settings,shortcuts}.json",
  { import: "default" },
);

/** Fetches early what is said behind the sign-in. */
export const insideTexts = (): Promise<unknown> => bundles[preferredLanguage()].inside();

const backend: BackendModule = {
  type: "backend",
  init() {},
  read(language, namespace, done) {
    textsOf(language as Language, namespace).then(
      (texts) => done(null, texts),
      (error: Error) => done(error, false),
    );
  },
};

async function textsOf(language: Language, namespace: string): Promise<Texts> {
  const ofPage = pages[`./${language}/${namespace}.json`];
  if (ofPage) return ofPage();
  const { first, inside } = bundles[language];
  const texts = (await first())[namespace] ?? (await inside())[namespace];
  if (!texts) throw new Error(`no texts for ${language}/${namespace}`);
  return texts;
}

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
  await i18next.use(backend).init({
    lng,
    // No language lacks a text (parity.test.ts): nobody fetches two.
    fallbackLng: false,
    ns: ["ui"],
    resources: { [lng]: { ...(await bundles[lng].first()) } },
    partialBundledLanguages: true,
    defaultNS: "ui",
    interpolation: { escapeValue: false },
  });
}

export async function setLanguage(language: Language): Promise<void> {
  localStorage.setItem(STORED_AS, language);
  document.documentElement.lang = language;
  await i18next.changeLanguage(language);
}
