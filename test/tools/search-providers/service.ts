/** A search service on loopback, and a provider that asks it in the place of the real one. */
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { httpProvider } from "../../../tools/browser/backends/http-provider.ts";
import type {
  OpenClient,
  ProviderDefinition,
  SearchProvider,
} from "../../../tools/browser/backends/provider.ts";
import { createWebClient } from "../../../tools/net/web/web-client.ts";

export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

export type Reply = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

export type Service = { readonly url: string; readonly asked: readonly Asked[] };

/** Answers every request with what `reply` says, until the test ends. */
export async function serveSearch(reply: (asked: Asked) => Reply): Promise<Service> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const url = new URL(request.url ?? "", "http://localhost");
      const one = {
        method: request.method ?? "",
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: request.headers,
        body: Buffer.concat(parts).toString(),
      };
      asked.push(one);
      const { status = 200, headers = {}, body = "" } = reply(one);
      response.writeHead(status, headers).end(body);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** What a service was recorded to answer. */
export function answer(file: string): string {
  return readFileSync(new URL(`../../fixtures/search-answers/${file}`, import.meta.url), "utf8");
}

/** Loopback may be asked, as a network of the user's own. */
export const openClient: OpenClient = (restriction) =>
  createWebClient({
    ...restriction,
    retry: { attempts: 1 },
    allowPrivateHosts: restriction.allowDomains ?? restriction.allowPrivateHosts,
  });

/** The keys of every service; no real one. */
export const KEYS: NodeJS.ProcessEnv = {
  BRAVE_API_KEY: "key-of-brave+0/1=",
  TAVILY_API_KEY: "key-of-tavily",
  EXA_API_KEY: "key-of-exa",
  YDC_API_KEY: "key-of-you",
  OLLAMA_API_KEY: "key-of-ollama",
  GOOGLE_API_KEY: "key-of-google+0/1=",
  GOOGLE_CSE_ID: "engine-of-google",
};

/** The provider, asking `url` in the place of the service's host. */
export function providerAt(
  definition: ProviderDefinition,
  url: string,
  env: NodeJS.ProcessEnv = KEYS,
): SearchProvider {
  const endpoint = url + new URL(definition.endpoint).pathname;
  const provider = httpProvider(definition, { openClient, env, endpoint });
  onTestFinished(() => provider.close());
  return provider;
}
