export { MemberPanel } from "./member-panel";
