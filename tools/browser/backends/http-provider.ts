/**
 * A search service over HTTP as a provider: the request, what its answers mean, and its key. The key is bound to
 * the service's host (the client reaches no other), and is in no message, result or event, also where the
 * service repeats it.
 */
import { messageOf } from "../../core/text.ts";
import type { WebClient, WebResponse } from "../../net/index.ts";
import type { SearchHit } from "../backend.ts";
import { isWeb } from "../text/address.ts";
import { oneLine } from "../text/clean-text.ts";
import { SearchConfigurationError, SearchProviderError } from "./errors.ts";
import { at, text as textIn } from "./json.ts";
import {
  cutSummary,
  type OpenClient,
  type ProviderDefinition,
  type ProviderRequest,
  type SearchProvider,
} from "./provider.ts";

export type HttpProviderOptions = {
  readonly openClient: OpenClient;
  readonly env: NodeJS.ProcessEnv;
  /** Instead of the definition's. */
  readonly endpoint?: string | undefined;
  /** Hosts of the endpoint may be private ones: the user named it. */
  readonly isPrivate?: boolean | undefined;
};

const TIMEOUT_MS = 20_000;
const MAX_BYTES = 4 * 1024 * 1024;
const SHOWN_CHARACTERS = 200;

/** @throws SearchConfigurationError when a key is missing */
export function httpProvider(
  definition: ProviderDefinition,
  options: HttpProviderOptions,
): SearchProvider {
  const { name, title, most } = definition;
  const endpoint = options.endpoint ?? definition.endpoint;
  const keys = keysOf(definition, options.env);
  const { host } = new URL(endpoint);
  const withoutKeys = (text: string): string => keys.reduce(masked, text);
  let client: WebClient | undefined;
  const fail = (
    code: ConstructorParameters<typeof SearchProviderError>[0],
    problem: string,
    cause?: unknown,
  ): SearchProviderError =>
    new SearchProviderError(code, name, withoutKeys(problem), { cause: withoutText(cause) });

  const send = async (request: ProviderRequest, signal: AbortSignal): Promise<WebResponse> => {
    client ??= options.openClient({
      allowDomains: [host],
      ...(options.isPrivate && { allowPrivateHosts: [host] }),
      maxRedirects: 3,
    });
    const { url, headers = {}, body, form } = request;
    const accept = definition.format === "json" ? "application/json" : "text/html";
    const common = {
      signal,
      accept,
      maxBytes: MAX_BYTES,
      timeouts: { totalMs: TIMEOUT_MS },
      purpose: "named by the user",
    } as const;
    if (form !== undefined) {
      const type = { "content-type": "application/x-www-form-urlencoded" };
      const sent = new URLSearchParams(form).toString();
      return client.post(url.href, sent, { ...common, headers: { ...headers, ...type } });
    }
    if (body !== undefined) {
      const type = { "content-type": "application/json" };
      const sent = JSON.stringify(body);
      return client.post(url.href, sent, { ...common, headers: { ...headers, ...type } });
    }
    return client.get(url.href, { ...common, headers });
  };

  const ask = async (query: string, count: number, signal: AbortSignal): Promise<unknown> => {
    const request = definition.request({ text: query, count }, endpoint, keys);
    let response: WebResponse;
    try {
      response = await send(request, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      throw fail("CHORALE_SEARCH_FAILED", `cannot be asked: ${messageOf(error)}`, error);
    }
    const text = new TextDecoder().decode(response.bytes);
    const refusal = refusalOf(definition, response.status, reasonIn(text));
    if (refusal !== null) throw fail(refusal.code, refusal.problem);
    if (definition.format === "html") return text;
    try {
      return JSON.parse(text);
    } catch {
      const type = oneLine(response.contentType ?? "").slice(0, SHOWN_CHARACTERS);
      const found = /^\s*</.test(text) ? "a page of HTML" : "something else";
      throw fail(
        "CHORALE_SEARCH_FAILED",
        `answered with ${found} instead of JSON (${type || "no content type"}); is ${host} ${title}?`,
      );
    }
  };

  return {
    name,
    async search(query, topn, signal) {
      const count = Math.max(1, Math.min(topn, most));
      const answer = await ask(query, count, signal);
      const hits = definition.read(answer).filter(({ url }) => isWeb(url) && URL.canParse(url));
      return hits.slice(0, topn).map(
        (hit): SearchHit => ({
          url: withoutKeys(hit.url),
          title: withoutKeys(hit.title),
          summary: cutSummary(withoutKeys(hit.summary)),
        }),
      );
    },
    close: async () => client?.close(),
  };
}

function keysOf(
  { name, title, variables = [] }: ProviderDefinition,
  env: NodeJS.ProcessEnv,
): readonly string[] {
  return variables.map((names) => {
    const value = names.map((each) => env[each]?.trim() ?? "").find((each) => each !== "");
    if (value !== undefined) return value;
    throw new SearchConfigurationError(
      `Searching with ${name} (${title}) needs ${names.join(" or ")} in the environment.`,
    );
  });
}

type Refusal = { readonly code: SearchProviderError["code"]; readonly problem: string };

/** What a status says about a search; null: it is an answer. */
function refusalOf(
  { variables, title }: ProviderDefinition,
  status: number,
  reason: string,
): (Refusal & { readonly code: ConstructorParameters<typeof SearchProviderError>[0] }) | null {
  if (status >= 200 && status < 300) return null;
  const said = reason === "" ? `${status}` : `${status}: ${reason}`;
  if (status === 401 || status === 403) {
    const [names] = variables ?? [];
    return names === undefined
      ? { code: "CHORALE_SEARCH_BLOCKED", problem: `refuses the request (${said}).` }
      : {
          code: "CHORALE_SEARCH_KEY",
          problem: `does not accept the key in ${names.join(" or ")} (${said}).`,
        };
  }
  if (status === 402 || status === 429 || status === 432 || status === 433) {
    return {
      code: "CHORALE_SEARCH_LIMIT",
      problem: `takes no more requests for now (${said}); wait, or see your plan with ${title}.`,
    };
  }
  const what = status >= 500 ? "has a failure of its own" : "does not take the request";
  return { code: "CHORALE_SEARCH_FAILED", problem: `${what} (${said}).` };
}

/** What services say about an error in JSON, in the forms that they have for it. */
function reasonIn(text: string): string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "";
  }
  const places = [
    ["error", "detail"],
    ["error", "message"],
    ["error", "info"],
    ["detail", "error"],
    ["error"],
    ["detail"],
    ["message"],
  ];
  const found = places.map((path) => textIn(at(json, ...path))).find((each) => each !== "");
  return oneLine(found ?? "").slice(0, SHOWN_CHARACTERS);
}

/** Without a key, as it is and as a URL has it. */
function masked(text: string, key: string): string {
  return text.replaceAll(key, "…").replaceAll(encodeURIComponent(key), "…");
}

/** Causes hold URLs, in which a key may stand; their kind and code are enough. */
function withoutText(cause: unknown): Error | undefined {
  if (!(cause instanceof Error)) return undefined;
  const code = "code" in cause ? String(cause.code) : cause.name;
  return new Error(code);
}
