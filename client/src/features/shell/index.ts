export { Shell } from "./shell";
