export { ExploreScreen } from "./explore-screen";
