import { useQuery } from "@tanstack/react-query";
import { baseUrlOf, type ClientConfig, useConfig } from "~/hooks/config";
import { failureOf, type LoginFailure, loginFlows } from "~/matrix/login";
import { type OAuthMetadata, oauthMetadata } from "~/matrix/oauth";

export interface SignInOptions {
  /** Asked of the server; until it has answered, what the configuration says. */
  readonly hasPassword: boolean;
  readonly oauth: OAuthMetadata | undefined;
  readonly offersAccounts: boolean;
  readonly failure: LoginFailure | undefined;
  readonly retry: () => void;
}

/** The ways to sign in that the server offers. */
export function useSignInOptions(): SignInOptions {
  const config: ClientConfig = useConfig();
  const baseUrl = baseUrlOf(config);
  const asked = useQuery({
    queryKey: ["sign-in-options", baseUrl],
    queryFn: async () => {
      const [flows, oauth] = await Promise.all([loginFlows(baseUrl), oauthMetadata(baseUrl)]);
      return { hasPassword: flows.includes("m.login.password"), oauth };
    },
    retry: false,
  });
  return {
    hasPassword: asked.data?.hasPassword ?? config.login.password,
    oauth: asked.data?.oauth,
    offersAccounts: asked.data?.oauth?.prompt_values_supported.includes("create") ?? false,
    failure: asked.error ? failureOf(asked.error) : undefined,
    retry: () => void asked.refetch(),
  };
}
