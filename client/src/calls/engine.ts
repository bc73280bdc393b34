// Everything of a running call, fetched as one part: the only way to LiveKit's library from the rest of the client.

export { Call } from "./call";
export { insideOf, qualityIn } from "./inside";
export { StatsReader } from "./stats";
