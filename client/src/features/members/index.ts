export { MemberPanel, type MemberPanelProps } from "./member-panel";
