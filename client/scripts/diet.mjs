// What libraries bring and this client does not use, left out of the build.

const LANGUAGES = /\/(en-US|de-DE)\.mjs$/;

/** A plugin of the build: React Aria's own words in the client's languages only, of some thirty. */
export function ownLanguages() {
  return {
    name: "own-languages",
    load: {
      filter: { id: /\/react-(aria|stately)\/dist\/.*\/intl\/[^/]+\/[a-z]{2}-[A-Z]{2}\.mjs$/ },
      handler: (id) => (LANGUAGES.test(id) ? undefined : "export default {};"),
    },
  };
}

/**
 * A plugin of the build: without the SDK's table of letters that look like others (28 kB). With it the SDK tells people of like
 * names apart, in names that no view shows: they take the plain one (`rawDisplayName`), and mark strangers by their server.
 */
export function plainNames() {
  return {
    name: "plain-names",
    load: {
      filter: { id: /\/unhomoglyph\/index\.js$/ },
      handler: () => "export default (text) => text;",
    },
  };
}
