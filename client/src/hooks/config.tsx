import { createContext, useContext } from "react";
import * as v from "valibot";

const Config = v.object({
  server_name: v.string(),
  version: v.optional(v.string(), ""),
  brand: v.optional(v.string(), "EchoRift"),
  base_url: v.optional(v.string(), ""),
  help_url: v.optional(v.string()),
  login: v.optional(
    v.object({
      oauth: v.optional(v.boolean(), false),
      password: v.optional(v.boolean(), true),
      registration: v.optional(v.boolean(), false),
    }),
    {},
  ),
  features: v.optional(
    v.object({
      calls: v.optional(v.boolean(), false),
      federation: v.optional(v.boolean(), false),
      delayed_events: v.optional(v.boolean(), false),
      url_previews: v.optional(v.boolean(), false),
    }),
    {},
  ),
  limits: v.optional(v.object({ upload_bytes_max: v.optional(v.number()) }), {}),
});

/** What the server says of itself before anybody logs in (docs/client-hosting.md § config.json). */
export type ClientConfig = v.InferOutput<typeof Config>;

export async function loadConfig(): Promise<ClientConfig> {
  const response = await fetch("/config.json");
  if (!response.ok) throw new Error(`config.json: ${response.status}`);
  return v.parse(Config, await response.json());
}

const ConfigContext = createContext<ClientConfig | undefined>(undefined);
export const ConfigProvider = ConfigContext.Provider;

export function useConfig(): ClientConfig {
  const config = useContext(ConfigContext);
  if (!config) throw new Error("useConfig is for what is inside the app");
  return config;
}

/** Where the Matrix API is: the origin that served the client, unless the configuration names another. */
export const baseUrlOf = (config: ClientConfig): string => config.base_url || window.location.origin;
