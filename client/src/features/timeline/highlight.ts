import type { LanguageFn } from "highlight.js";

/** Coloured code as data: a text, or a stretch of code of one kind. */
export type CodeNode =
  | string
  | { readonly scope: string | undefined; readonly children: readonly CodeNode[] };

const LANGUAGES = new Map<string, () => Promise<{ default: LanguageFn }>>(
  Object.entries({
    bash: () => import("highlight.js/lib/languages/bash"),
    css: () => import("highlight.js/lib/languages/css"),
    go: () => import("highlight.js/lib/languages/go"),
    java: () => import("highlight.js/lib/languages/java"),
    json: () => import("highlight.js/lib/languages/json"),
    markdown: () => import("highlight.js/lib/languages/markdown"),
    python: () => import("highlight.js/lib/languages/python"),
    rust: () => import("highlight.js/lib/languages/rust"),
    sql: () => import("highlight.js/lib/languages/sql"),
    typescript: () => import("highlight.js/lib/languages/typescript"),
    xml: () => import("highlight.js/lib/languages/xml"),
    yaml: () => import("highlight.js/lib/languages/yaml"),
  }),
);
const ALIASES = new Map(
  Object.entries({
    html: "xml",
    javascript: "typescript",
    js: "typescript",
    jsx: "typescript",
    md: "markdown",
    py: "python",
    rs: "rust",
    sh: "bash",
    shell: "bash",
    svg: "xml",
    ts: "typescript",
    tsx: "typescript",
    yml: "yaml",
    zsh: "bash",
  }),
);
/** Longer code stays plain: colouring it would hold up the page. */
const LENGTH_MAX = 30_000;

/** Colours code in one of twelve languages, fetched when first seen; `undefined` for all others. */
export async function highlight(text: string, language: string): Promise<readonly CodeNode[] | undefined> {
  const wanted = language.toLowerCase();
  const name = ALIASES.get(wanted) ?? wanted;
  const load = LANGUAGES.get(name);
  if (!load || text.length > LENGTH_MAX) return undefined;
  const [{ default: core }, { default: grammar }] = await Promise.all([
    import("highlight.js/lib/core"),
    load(),
  ]);
  if (!core.getLanguage(name)) core.registerLanguage(name, grammar);
  // The library gives HTML; its tree beneath is what we turn into elements ourselves.
  const { _emitter: emitter } = core.highlight(text, { language: name, ignoreIllegals: true });
  return hasRoot(emitter) ? emitter.rootNode.children : undefined;
}

function hasRoot(emitter: object): emitter is { rootNode: { children: readonly CodeNode[] } } {
  return "rootNode" in emitter;
}
