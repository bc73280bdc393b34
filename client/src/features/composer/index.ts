export { Composer } from "./composer";
export { useComposer } from "./store";
export { useDrafts } from "./use-drafts";
