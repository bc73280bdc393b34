export { ProfileCard, type ProfileCardProps } from "./profile-card";
export { ProfileTrigger, type ProfileTriggerProps, UserName } from "./profile-trigger";
export { useTitle } from "./use-person";
