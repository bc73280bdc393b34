export { InvitationCard } from "./invitation-card";
export { InviteDialog } from "./invite-dialog";
export { NewMessageDialog } from "./new-message-dialog";
