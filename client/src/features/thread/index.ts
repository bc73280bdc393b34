export { ThreadList } from "./thread-list";
export { ThreadPanel } from "./thread-panel";
