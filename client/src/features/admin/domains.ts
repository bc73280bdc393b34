import { part } from "~/matrix/own-api";

/** Where one asks about a domain of the directory; the main one has no name. */
export const pathOf = (what: "sync" | "approve" | "plan" | "drift", domain: string): string =>
  `directory/${what}${domain === "" ? "" : `?domain=${part(domain)}`}`;

/** What stands over a card, with the domain's name where it is not the main one. */
export const titleOf = (title: string, domain: string): string =>
  domain === "" ? title : `${title}: ${domain}`;
