export { Composer, type ComposerProps } from "./composer";
export { type ComposerActions, useComposer } from "./store";
export { useDrafts } from "./use-drafts";
