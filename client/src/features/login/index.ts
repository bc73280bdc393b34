export { LoginScreen } from "./login-screen";
export { SignInAgain } from "./sign-in-again";
export { Splash } from "./splash";
