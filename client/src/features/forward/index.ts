export { ForwardDialog } from "./forward-dialog";
