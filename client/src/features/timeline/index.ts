export { saveBlob } from "./attachments";
export { Name } from "./author";
export { askForDate } from "./date-jump";
export { MessageCard, MissingMessage, useMessage } from "./found-message";
export { RichText } from "./rich-text";
export { useSummary } from "./summary";
export { Timeline } from "./timeline";
export { useMessageTimes } from "./times";
export { loadAttachment, useAttachment } from "./use-attachment";
