export { CallButtons } from "./call-buttons";
export { Ringing } from "./ringing";
