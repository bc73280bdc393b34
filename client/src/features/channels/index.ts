export { ChannelColumn } from "./channel-column";
export { channelIcon } from "./channel-icon";
export { useChannelEntries } from "./channel-menu";
export { CreateChannelDialog } from "./create-channel-dialog";
export { LeaveDialog } from "./leave-dialog";
export { shortTime } from "./short-time";
