export { SessionsSettings } from "./sessions-settings";
export { SignOutDialog } from "./sign-out-dialog";
