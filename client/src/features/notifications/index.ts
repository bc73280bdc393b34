export { NotificationSettings } from "./notification-settings";
export { Notifier } from "./notifier";
export { isQuiet } from "./quiet-hours";
export { RoomNotificationMenu, useRoomNotificationEntries } from "./room-level";
