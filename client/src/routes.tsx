import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
} from "@tanstack/react-router";
import * as v from "valibot";
import { LoginScreen } from "./features/login";
import { Broken } from "./ui/broken";

// Every route and its search parameters, so that all links are typed. Screens but the first are fetched when first visited.

const root = createRootRoute({ component: Outlet });

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: v.object({
    code: v.optional(v.string()),
    state: v.optional(v.string()),
    error: v.optional(v.string()),
    /** Where to go once signed in, an address of this client. */
    next: v.optional(v.string()),
    /** The session was ended from elsewhere: says so. */
    ended: v.optional(v.boolean()),
  }),
  component: LoginScreen,
});

/** Everything behind the login: rail, channels, dock, and the outlet between them. */
const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  component: lazyRouteComponent(() => import("./inside"), "Shell"),
});

/** The pages of the server's administrators; what they may see, the server decides. */
const admin = createRoute({
  getParentRoute: () => shell,
  path: "/admin/$page",
  validateSearch: v.object({
    q: v.optional(v.string()),
    state: v.optional(v.string()),
    order: v.optional(v.string()),
    /** What the drawer shows: a user, a room, a server. */
    item: v.optional(v.string()),
    range: v.optional(v.picklist(["1h", "24h", "7d"])),
  }),
  component: lazyRouteComponent(() => import("./features/admin"), "AdminScreen"),
});

const home = createRoute({
  getParentRoute: () => shell,
  path: "/",
  component: lazyRouteComponent(() => import("./inside"), "HomeScreen"),
});

const explore = createRoute({
  getParentRoute: () => shell,
  path: "/explore",
  component: lazyRouteComponent(() => import("./features/explore"), "ExploreScreen"),
});

const inbox = createRoute({
  getParentRoute: () => shell,
  path: "/inbox",
  validateSearch: v.object({ show: v.optional(v.picklist(["threads"])) }),
  component: lazyRouteComponent(() => import("./features/inbox"), "InboxScreen"),
});

/** `/room/!id:server`: any channel or direct message; the rail follows the room. */
const room = createRoute({
  getParentRoute: () => shell,
  path: "/room/$roomId",
  validateSearch: v.object({
    /** Scrolls to this event. */
    event: v.optional(v.string()),
    /** Opens this thread beside it. */
    thread: v.optional(v.string()),
    panel: v.optional(v.picklist(["members", "threads", "pins", "search", "profile"])),
    /** Whose profile the panel shows. */
    user: v.optional(v.string()),
    q: v.optional(v.string()),
    /** Servers to ask where one is not in the room. */
    via: v.optional(v.array(v.string())),
  }),
  component: lazyRouteComponent(() => import("./inside"), "RoomScreen"),
});

/** The first steps of somebody new. */
const welcome = createRoute({
  getParentRoute: () => shell,
  path: "/welcome",
  component: lazyRouteComponent(() => import("./features/onboarding"), "WelcomeScreen"),
});

/** `/settings/profile`: a window of its own over everything; `/settings/all` is the list of pages on phones. */
const settings = createRoute({
  getParentRoute: () => shell,
  path: "/settings/$page",
  component: lazyRouteComponent(() => import("./features/settings"), "SettingsScreen"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    login,
    shell.addChildren([admin, explore, home, inbox, room, settings, welcome]),
  ]),
  defaultPreload: "intent",
  defaultErrorComponent: Broken,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
