// What libraries bring and this client does not use, left out of the build.

const LANGUAGES = /\/(en-US|de-DE)\.mjs$/;

/** A plugin of the build: React Aria's own words in the client's languages only, of some thirty. */
export function ownLanguages() {
  return {
    name: "own-languages",
    load: {
      filter: {
        id: /\/react-(aria|stately|aria-components)\/dist\/.*\/intl\/(?:[^/]+\/)?[a-z]{2}-[A-Z]{2}\.mjs$/,
      },
      handler: (id) => (LANGUAGES.test(id) ? undefined : "export default {};"),
    },
  };
}

/**
 * A plugin of the build: without the SDK's table of letters that look like others (28 kB). With it the SDK tells people of like
 * names apart, in names that no view shows: they take the plain one (`rawDisplayName`), and mark strangers by their server.
 */
export function plainNames() {
  return {
    name: "plain-names",
    load: {
      filter: { id: /\/unhomoglyph\/index\.js$/ },
      handler: () => "export default (text) => text;",
    },
  };
}

/**
 * What takes the place of modules of the SDK whose features this client has not (45 kB packed), by the end of their path. The
 * SDK's client imports them all; a stand-in has what is named at once, and throws only where such a feature would be used.
 */
const STANDINS = {
  // Calls from peer to peer (`m.call.*`). Ours go by MatrixRTC; without this nothing answers them, nor asks for TURN servers.
  "matrix-js-sdk/lib/webrtc/call.js": `
    export const supportsMatrixCall = () => false;
    export const createNewMatrixCall = () => null;
    export const CallEvent = {};`,
  "matrix-js-sdk/lib/webrtc/callEventHandler.js": `
    export const CallEventHandlerEvent = {};
    export class CallEventHandler {}`,
  "matrix-js-sdk/lib/webrtc/groupCallEventHandler.js": `
    export const GroupCallEventHandlerEvent = {};
    export class GroupCallEventHandler {}`,
  "matrix-js-sdk/lib/webrtc/groupCall.js": `
    export class GroupCall {}
    export const GroupCallEvent = {}, GroupCallIntent = {}, GroupCallState = {}, GroupCallType = {};
    export const GroupCallStatsReportEvent = {};`,
  "matrix-js-sdk/lib/webrtc/mediaHandler.js": `
    export const MediaHandlerEvent = {};
    export class MediaHandler {}`,
  "matrix-js-sdk/lib/webrtc/callFeed.js": "export const CallFeedEvent = {};",
  "matrix-js-sdk/lib/webrtc/stats/statsReport.js": "export const StatsReport = {};",
  // The session syncs by /sync alone.
  "matrix-js-sdk/lib/sliding-sync-sdk.js": "export class SlidingSyncSdk {}",
  // Trees of files in rooms (MSC3089).
  "matrix-js-sdk/lib/models/MSC3089TreeSpace.js": `
    export const DEFAULT_TREE_POWER_LEVELS_TEMPLATE = {};
    export class MSC3089TreeSpace {}`,
  // Of extensible events (MSC1767) the names only: the timeline reads contents itself (matrix/timeline/).
  "matrix-events-sdk/lib/index.js": `
    export { NamespacedValue, UnstableValue } from "./NamespacedValue.js";
    export { M_POLL_START } from "./events/poll_types.js";
    export const ExtensibleEvents = { parse: () => undefined };`,
};

/** A plugin of the build: stand-ins for those parts of the SDK that this client has no use for. */
export function withoutUnused() {
  const endings = Object.keys(STANDINS);
  const escaped = endings.map((ending) => ending.replace(/[.]/g, "\\."));
  return {
    name: "without-unused",
    load: {
      filter: { id: new RegExp(`/node_modules/(${escaped.join("|")})$`) },
      handler: (id) => STANDINS[endings.find((ending) => id.endsWith(ending))],
    },
  };
}
