/** A service that searches, as `--search` names it. */
import type { WebClient, WebClientOptions } from "../../net/index.ts";
import type { SearchHit } from "../backend.ts";

export interface SearchProvider {
  /** As it is named in a configuration. */
  readonly name: string;
  /**
   * Best first, at most `topn`; no match is an empty list.
   *
   * @throws SearchProviderError in words that the model and a person can act on; the signal's reason
   */
  search(query: string, topn: number, signal: AbortSignal): Promise<readonly SearchHit[]>;
  close(): Promise<void>;
}

/** What is asked of a service over HTTP. */
export type ProviderRequest = {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON by POST; absent: GET. */
  readonly body?: unknown;
  /** Sent as a form by POST. */
  readonly form?: Readonly<Record<string, string>>;
};

/** A service over HTTP: how it is asked, and how its answers are read. Its file says where that is described. */
export type ProviderDefinition = {
  readonly name: string;
  /** The service's own name, for people. */
  readonly title: string;
  /** Where it is asked. */
  readonly endpoint: string;
  /** Variables of the environment that it needs; each entry lists names of which one is enough. */
  readonly variables?: readonly (readonly string[])[];
  /** Most results of one request. */
  readonly most: number;
  readonly format: "json" | "html";
  /** @param keys values of `variables`, in their order */
  request(query: ProviderQuery, endpoint: string, keys: readonly string[]): ProviderRequest;
  /**
   * @param answer JSON that was read, or the text of a page
   * @throws SearchProviderError where it is no result at all: a page that asks for a captcha
   */
  read(answer: unknown): readonly SearchHit[];
};

/** Of a summary: some services send whole pages, and ten results should fit into one view. */
const SUMMARY_CHARACTERS = 400;

/** A summary of at most so many characters, with dots where the rest was. */
export function cutSummary(text: string): string {
  const line = text
    .slice(0, 4 * SUMMARY_CHARACTERS)
    .replace(/\s+/g, " ")
    .trim();
  return line.length <= SUMMARY_CHARACTERS
    ? line
    : `${line.slice(0, SUMMARY_CHARACTERS - 2).toWellFormed()} …`;
}

export type ProviderQuery = { readonly text: string; readonly count: number };

/** Opens a client for the hosts of one provider: its key can reach no other. */
export type OpenClient = (
  restriction: Pick<WebClientOptions, "allowDomains" | "allowPrivateHosts" | "maxRedirects">,
) => WebClient;
