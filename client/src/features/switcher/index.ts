export { Switcher } from "./switcher";
