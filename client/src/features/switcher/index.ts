export { type Candidate, fold, rank } from "./rank";
export { Switcher } from "./switcher";
