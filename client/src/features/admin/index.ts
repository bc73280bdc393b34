export { AdminScreen } from "./admin-screen";
export { useIsAdministrator } from "./whoami";
