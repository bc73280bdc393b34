export { NotificationSettings } from "./notification-settings";
export { Notifier } from "./notifier";
export { RoomNotificationMenu } from "./room-level";
