export { ProfileCard, type ProfileCardProps } from "./profile-card";
export { ProfilePanel } from "./profile-panel";
export { ProfileTrigger, type ProfileTriggerProps, UserName } from "./profile-trigger";
