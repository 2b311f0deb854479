/** The client for pages, loaded with what it needs when it is wanted. */
import type { WebClient, WebClientOptions } from "./web-client.ts";

/** @throws HostPatternError for a domain or host of the policy that is none */
export async function openWebClient(options: WebClientOptions): Promise<WebClient> {
  const { createWebClient } = await import("./web-client.ts");
  return createWebClient(options);
}
