export { PinsPanel } from "./pins-panel";
