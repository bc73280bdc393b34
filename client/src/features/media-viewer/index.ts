export { MediaViewer } from "./media-viewer";
export { openMedia } from "./store";
