export { ForwardDialog } from "./forward-dialog";
export { RoomPicker } from "./room-picker";
