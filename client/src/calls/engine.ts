// Everything of a running call, fetched as one part: the only way to LiveKit's library from the rest of the client.

import { LogLevel, setLogLevel } from "livekit-client";

// The library tells the console of every frame that comes before its key. What matters is shown to people instead.
setLogLevel(LogLevel.silent);

export { Call } from "./call";
export { insideOf, qualityIn } from "./inside";
export { StatsReader } from "./stats";
