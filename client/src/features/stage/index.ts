export { Stage } from "./stage";
export { StageCard, useHasStageCard } from "./stage-card";
