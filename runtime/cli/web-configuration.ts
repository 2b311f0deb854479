/** What the flags say about the web. */
import type { WebConfiguration } from "../environment.ts";
import type { FetchArguments, WebArguments } from "./flags.ts";

/** Whom a run may ask, so that a setting that lets it is not forgotten. */
export function webNote({ search, searxng }: WebConfiguration): string {
  const services = search ?? [searxng === undefined ? "duckduckgo/mojeek" : "searxng"];
  const names = services.map((name) => name.replaceAll("/", " or ")).join(", ");
  return `the model may open pages of the web, and search it with ${names || "no service"}.`;
}

/** Undefined where no flag asks for the web. */
export function webConfiguration({
  web,
  search,
  searxng,
  ...fetching
}: WebArguments): WebConfiguration | undefined {
  const isLocal = search?.every((name) => name === "local") ?? true;
  const isWanted = web || !isLocal || searxng !== undefined;
  return isWanted ? { search, searxng, client: clientOptions(fetching) } : undefined;
}

/** How pages are fetched. */
export function clientOptions(args: FetchArguments): NonNullable<WebConfiguration["client"]> {
  return {
    allowDomains: args.allowDomain,
    blockDomains: args.blockDomain,
    allowPrivateHosts: args.allowPrivateHost,
    isOffline: args.offline,
    proxy: { resolvesNames: args.proxyResolves },
  };
}
