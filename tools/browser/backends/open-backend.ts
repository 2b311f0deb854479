/** Opens the web as a place to browse, from one configuration. */
import type { FetchPurpose, WebClient, WebClientOptions } from "../../net/index.ts";
import { createWebClient } from "../../net/web/web-client.ts";
import type { BrowserBackend } from "../backend.ts";
import { chooseProviders } from "./choose-providers.ts";
import type { SearchProvider } from "./provider.ts";
import { WebBackend } from "./web-backend.ts";

export type WebOptions = {
  /**
   * Which services are searched, each by its name or as `A/B`: B where A does not answer. All are asked at once
   * and their results are merged. Default: the SearXNG server where one is named, else `duckduckgo/mojeek`.
   */
  readonly search?: readonly string[] | undefined;
  /** Address of a SearXNG server; it may be in the own network. */
  readonly searxng?: string | undefined;
  /** Further providers, which `search` can name. */
  readonly providers?: readonly SearchProvider[] | undefined;
  /** Where the keys of services are read. Default: `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** How pages are fetched: domains, limits. */
  readonly client?: WebClientOptions | undefined;
  /** Who chooses the pages that are opened. Default: a program, which heeds robots.txt. */
  readonly purpose?: FetchPurpose | undefined;
  /** Gets a sentence where a service did not answer and others did. */
  readonly onNote?: ((sentence: string) => void) | undefined;
};

/** A search that has to wait is better made with another service. */
const PROVIDER_RETRY: NonNullable<WebClientOptions["retry"]> = { attempts: 2, maxWaitMs: 3000 };

/**
 * @param folder documents that are searched as well; closed with the backend
 * @throws SearchConfigurationError for a service that cannot be asked, HostPatternError
 */
export function openWebBackend(options: WebOptions, folder: BrowserBackend | null): WebBackend {
  const { client: net = {} } = options;
  const openClient = (restriction: Partial<WebClientOptions>): WebClient =>
    createWebClient({
      ...net,
      retry: { ...PROVIDER_RETRY, ...net.retry },
      ...restriction,
      // A key may be in a URL, and what is found today is not what was found last week.
      cache: undefined,
      recording: undefined,
    });
  return new WebBackend({
    providers: chooseProviders(options.search, {
      searxng: options.searxng,
      folder,
      others: options.providers,
      env: options.env ?? process.env,
      openClient,
    }),
    client: createWebClient(net),
    folder,
    purpose: options.purpose ?? "crawl",
    onNote: options.onNote ?? (() => {}),
  });
}
