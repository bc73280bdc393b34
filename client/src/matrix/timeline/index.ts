export { type LinkPreview, MessageActions } from "./actions";
export { decryptAttachment, safeType } from "./attachments";
export { textOfBody } from "./content";
export { eventKey, type FoundMessage, MessageLookup } from "./lookup";
export { Pins } from "./pins";
export { type ThreadRow, Threads } from "./threads";
export { Timelines } from "./timelines";
export * from "./types";
export { Typing } from "./typing";
