export { AddServerDialog } from "./add-server-dialog";
export {
  useCurrentServer,
  useFollowOpenRoom,
  useLastRoomId,
  useOpenRoomId,
  useOpenServer,
} from "./current-server";
export { Logo } from "./logo";
export { ServersRail } from "./servers-rail";
