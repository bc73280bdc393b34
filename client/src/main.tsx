import "./ui/base.css";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { loadConfig } from "./hooks/config";
import { applyPreferences } from "./hooks/preferences";
import { warmUp } from "./hooks/warm-up";
import { startTexts } from "./i18n";
import { loadCredentials } from "./matrix/credentials";
import { registerWorker } from "./worker/register";

applyPreferences();
registerWorker();
// Who is signed in needs it all at once; the router would come to it step by step.
void loadCredentials().then((stored) => stored && warmUp());
const root = document.getElementById("root");
if (root) {
  const config = loadConfig();
  await startTexts();
  createRoot(root).render(<App config={config} />);
}
