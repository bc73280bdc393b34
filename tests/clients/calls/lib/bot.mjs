// The bot: a process of Python that talks LiveKit by itself.

import { fileURLToPath } from "node:url";
import { run } from "../../lib/processes.mjs";

const BOT = fileURLToPath(new URL("../bot/bot.py", import.meta.url));

/** Sends the account's bot into a room's call, where it plays a tone of this frequency. */
export async function startBot({ account, roomId, serviceUrl, hertz }) {
    const python = process.env.ECHORIFT_TEST_BOT;
    if (!python) throw new Error("ECHORIFT_TEST_BOT is to name a Python with bot/requirements.txt installed");
    const bot = run(python, [BOT]);
    const heard = bot.line('"heard"').then(JSON.parse);
    // Who waits for it hears of a failure; until then nobody has to.
    heard.catch(() => {});
    const joined = bot.line('"identity"').then(JSON.parse);
    bot.child.stdin.write(`${JSON.stringify({ ...account, roomId, serviceUrl, hertz })}\n`);
    return {
        /** Its name within the SFU. */
        identity: (await joined).identity,
        /** The first one that it heard more than silence of: `{heard, loudest}`. */
        heard,
        async leave() {
            bot.child.stdin.end();
            await bot.hasEnded;
        },
    };
}
