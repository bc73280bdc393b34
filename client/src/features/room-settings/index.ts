export { RoomSettings } from "./room-settings";
