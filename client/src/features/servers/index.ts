export { useCurrentServer } from "./current-server";
export { ServersRail } from "./servers-rail";
