export { ProfileCard } from "./profile-card";
export { ProfileTrigger } from "./profile-trigger";
export { useTitle } from "./use-person";
