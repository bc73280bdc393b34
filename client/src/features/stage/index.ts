export { Stage } from "./stage";
export { StageCard } from "./stage-card";
