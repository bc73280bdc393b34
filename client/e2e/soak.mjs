// An hour's use in some minutes, and what of it stays in memory: `npm run soak`. Prints a table in Markdown.
//
// `--rounds N`: how often one goes through all channels (40); `--channels N` (30); `--messages N`: new ones in a channel each time (4).

import { Workday } from "./lib/workday.mjs";
import { World } from "./lib/world.mjs";

const option = (name, usual) => Number(process.argv[process.argv.indexOf(`--${name}`) + 1]) || usual;
const ROUNDS = option("rounds", 40);
const CHANNELS = option("channels", 30);
const MESSAGES_EACH = option("messages", 4);
const LOOK_EVERY = Math.max(1, Math.round(ROUNDS / 10));

const world = new World();
await world.open();
try {
  const day = await Workday.begin(world, { channels: CHANNELS });
  console.log("| Rounds | Messages | Heap | Nodes | Listeners |\n| --- | --- | --- | --- | --- |");
  for (let round = 1; round <= ROUNDS; round++) {
    await day.round({ messagesEach: MESSAGES_EACH });
    if (round % LOOK_EVERY !== 0) continue;
    const { heapBytes, nodes, listeners } = await day.living();
    const megabytes = (heapBytes / 1e6).toFixed(1);
    console.log(`| ${round} | ${day.messages} | ${megabytes} MB | ${nodes} | ${listeners} |`);
  }
} finally {
  await world.close();
}
