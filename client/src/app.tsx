import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { Suspense, use } from "react";
import { type ClientConfig, ConfigProvider } from "./hooks/config";
import { useUpdateNotice } from "./hooks/update-notice";
import { router } from "./routes";
import { Toasts } from "./ui/toast";
import { onOpen } from "./worker/register";

onOpen((path) => router.history.push(path));

const queries = new QueryClient({ defaultOptions: { queries: { staleTime: 15_000, retry: 1 } } });

export function App({ config }: { config: Promise<ClientConfig> }) {
  return (
    <QueryClientProvider client={queries}>
      <Suspense>
        <Configured config={config} />
      </Suspense>
    </QueryClientProvider>
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
