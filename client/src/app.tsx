import { RouterProvider } from "@tanstack/react-router";
import { Suspense, use } from "react";
import { type ClientConfig, ConfigProvider } from "./hooks/config";
import { useUpdateNotice } from "./hooks/update-notice";
import { router } from "./routes";
import { Toasts } from "./ui/toast";
import { onOpen } from "./worker/register";

onOpen((path) => router.history.push(path));

export function App({ config }: { config: Promise<ClientConfig> }) {
  return (
    <Suspense>
      <Configured config={config} />
    </Suspense>
  );
}

function Configured({ config }: { config: Promise<ClientConfig> }) {
  useUpdateNotice();
  return (
    <ConfigProvider value={use(config)}>
      <RouterProvider router={router} />
      <Toasts />
    </ConfigProvider>
  );
}
