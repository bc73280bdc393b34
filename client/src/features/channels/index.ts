export { ChannelColumn } from "./channel-column";
