export { type Edit, type LinkPreview, MessageActions } from "./actions";
export { type EventKey, eventKey, type FoundMessage, MessageLookup } from "./lookup";
export { Pins } from "./pins";
export { type ThreadRow, Threads } from "./threads";
export { Timelines } from "./timelines";
export * from "./types";
export { Typing } from "./typing";
export type { Readers } from "./window";
