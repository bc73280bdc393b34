export { PrejoinDialog } from "./prejoin-dialog";
