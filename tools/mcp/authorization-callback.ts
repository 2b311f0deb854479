/** Where a server's page of authorization sends the user back to: a port of this machine, for one answer. */
import type { AddressInfo } from "node:net";
import { unlessAborted } from "../core/unless-aborted.ts";
import type { AuthorizeInBrowser } from "./authorize.ts";
import { McpError } from "./errors.ts";
import { McpAuthorizations } from "./oauth.ts";

export type AuthorizationCallback = AuthorizeInBrowser & AsyncDisposable;

const PATH = "/callback";
const PAGE = "<!doctype html><title>Chorale</title><p>Done. You may close this page.</p>";

/**
 * @param openPage  shows the user a page; its address comes from the server, is http(s), and is otherwise not trusted
 * @param signal  ends the waiting
 */
export async function openAuthorizationCallback(
  openPage: (page: URL) => void,
  signal: AbortSignal,
): Promise<AuthorizationCallback> {
  let returned = Promise.withResolvers<URL>();
  // Not imported, since that takes time where no server is started.
  const { createServer } = process.getBuiltinModule("node:http");
  const server = createServer((request, response) => {
    const url = URL.parse(request.url ?? "", "http://127.0.0.1");
    if (request.method !== "GET" || url?.pathname !== PATH) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": "text/html", connection: "close" });
    response.end(PAGE, () => returned.resolve(url));
    return response;
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    redirectUrl: `http://127.0.0.1:${port}${PATH}`,
    async visit({ server: name, url }) {
      if (url.protocol !== "https:" && url.protocol !== "http:") {
        const message = `The MCP server ${name} asks for an authorization at ${url.protocol}, which is no web page.`;
        throw new McpError("CHORALE_MCP_AUTHORIZATION", message, { server: name });
      }
      returned = Promise.withResolvers<URL>();
      openPage(url);
      const back = await unlessAborted(returned.promise, signal);
      if (back === null) throw signal.reason;
      return back;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}

/** Forgets tokens and the registration of this program at a server. */
export async function forgetMcpAuthorization(file: string, url: string): Promise<void> {
  await new McpAuthorizations(file, undefined).forget(url);
}
