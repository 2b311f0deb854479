/** Real servers on loopback for the tests of the web client, and a client that may reach them. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { onTestFinished } from "vitest";
import { NetError, type WebClient, type WebClientOptions } from "../../../tools/net/index.ts";
import { createWebClient } from "../../../tools/net/web/web-client.ts";

/** Starts a server on 127.0.0.1 until the test ends. */
export async function listen(server: Server, host = "127.0.0.1", port = 0): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((done, failed) => {
    server.once("error", failed);
    server.listen(port, host, done);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

export type Site = {
  readonly port: number;
  /** Of a path at the name `site.test`. */
  at(path: string): string;
  /** Paths that were asked, in order. */
  readonly asked: string[];
  /** By path; more can be added. */
  readonly routes: Routes;
};

export type Routes = Record<string, RequestListener>;

/** An HTTP server that answers by path; any other path is 404. */
export async function serve(routes: Routes): Promise<Site> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    const route = routes[path];
    if (route) route(request, response);
    else response.writeHead(404).end("not here");
  });
  const port = await listen(server);
  return { port, asked, routes, at: (path) => `http://site.test:${port}${path}` };
}

/** A server that says what it says, whether or not that is HTTP. */
export async function serveRaw(answer: (socket: Socket) => void): Promise<Site> {
  const asked: string[] = [];
  const server = createTcpServer((socket) => {
    socket.once("data", (head) => {
      asked.push(/^\S+ (\S+)/.exec(String(head))?.[1] ?? "");
      answer(socket);
    });
  });
  const port = await listen(server);
  return { port, asked, routes: {}, at: (path) => `http://site.test:${port}${path}` };
}

/** Every name stands for 127.0.0.1, and `*.test` may be there at `ports`. */
export function openTestClient(
  ports: readonly number[],
  options: Partial<WebClientOptions> = {},
): WebClient {
  const client = createWebClient({
    resolve: async () => ["127.0.0.1"],
    allowPrivateHosts: ports.map((port) => `*.test:${port}`),
    // There are no pauses, unless a test looks at them.
    ...(options.clock === undefined && {
      retry: { baseMs: 1 },
      intervalMs: { "named by the user": 0, crawl: 0 },
    }),
    ...options,
  });
  onTestFinished(() => client.close());
  return client;
}

/** @returns the code of the NetError that a promise fails with, or "none" */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "none";
  } catch (error) {
    if (error instanceof NetError) return error.code;
    throw error;
  }
}

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
