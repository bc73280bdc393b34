export { ModerationDialogs } from "./moderation-dialogs";
export { ModerationLog } from "./moderation-log";
export { ask as askModeration } from "./questions";
