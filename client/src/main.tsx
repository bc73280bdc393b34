import "./ui/base.css";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { loadConfig } from "./hooks/config";
import { applyPreferences } from "./hooks/preferences";
import { startTexts } from "./i18n";
import { registerWorker } from "./worker/register";

applyPreferences();
registerWorker();
const root = document.getElementById("root");
if (root) {
  const config = loadConfig();
  await startTexts();
  createRoot(root).render(<App config={config} />);
}
