// What stands behind the sign-in from its first moment on, and travels as one: the frame, and the two pages one lands on.
export { HomeScreen } from "./features/home";
export { RoomScreen } from "./features/room";
export { Shell } from "./features/shell";
