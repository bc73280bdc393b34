export { InboxScreen } from "./inbox-screen";
export { useInboxCount } from "./use-inbox";
