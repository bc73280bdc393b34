export { ModerationDialogs } from "./moderation-dialogs";
export { ModerationLog } from "./moderation-log";
export { ask as askModeration, type ModerationQuestions, type Question, useModeration } from "./questions";
