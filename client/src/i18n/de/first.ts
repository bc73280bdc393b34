// What the sign-in says.
export { default as login } from "./login.json";
export { default as ui } from "./ui.json";
