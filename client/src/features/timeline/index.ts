export { saveBlob } from "./attachments";
export { Name, shortName } from "./author";
export { MessageContent } from "./message-body";
export { PersonAvatar } from "./person-avatar";
export { RichText } from "./rich-text";
export { summaryOf, useSummary } from "./summary";
export { Timeline, type TimelineProps } from "./timeline";
export { type MessageTimes, useMessageTimes } from "./times";
export { loadAttachment, useAttachment } from "./use-attachment";
