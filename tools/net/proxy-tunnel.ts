/** A connection through a proxy: `CONNECT`, with the address that was checked, so that the proxy resolves nothing. */
import { isIPv6, type Socket } from "node:net";

import { ProxyError } from "./errors.ts";
import type { HttpProxy } from "./proxy-rules.ts";
import { type buildConnector, Client } from "./undici.ts";

const OK = 200;
const AUTHENTICATION_REQUIRED = 407;

/**
 * A socket to the proxy itself.
 *
 * @throws ProxyError where it cannot be reached
 */
export async function connectToProxy(
  { url }: HttpProxy,
  connect: buildConnector.connector,
): Promise<Socket> {
  return new Promise((done, failed) => {
    const { protocol, hostname, host, port } = url;
    const bare = hostname.replace(/^\[(.*)\]$/, "$1");
    const target = { protocol, hostname: bare, host, port: port || defaultPort(protocol) };
    connect(target, (error, socket) => {
      if (error) failed(new ProxyError(`The proxy ${host} cannot be reached: ${error.message}`));
      else if (socket) done(socket);
    });
  });
}

/**
 * @param host  name or address that the proxy connects to
 * @returns the socket behind which the host is
 * @throws ProxyError where the proxy does not connect
 */
export async function openTunnel(
  proxy: HttpProxy,
  host: string,
  port: string,
  connect: buildConnector.connector,
  timeoutMs: number,
): Promise<Socket> {
  const client = new Client(proxy.url.origin, {
    connect: (_, callback) => {
      connectToProxy(proxy, connect).then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      );
    },
    headersTimeout: timeoutMs,
  });
  const path = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  try {
    const { statusCode, socket } = await client.connect({
      path,
      headers: {
        host: path,
        ...(proxy.authorization !== null && { "proxy-authorization": proxy.authorization }),
      },
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (statusCode === OK) return socket as Socket;
    socket.on("error", () => {}).destroy();
    throw new ProxyError(`The proxy ${proxy.url.host} ${refusal(statusCode, path)}`);
  } catch (error) {
    await client.destroy();
    if (error instanceof ProxyError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new ProxyError(`The proxy ${proxy.url.host} did not connect to ${path}: ${why}`);
  }
}

function refusal(status: number, path: string): string {
  return status === AUTHENTICATION_REQUIRED
    ? "wants a user name and password, or others (407); accepted: http://USER:PASSWORD@HOST:PORT in its variable"
    : `refused to connect to ${path} (${status}); where it connects to names only, let it resolve them (resolvesNames, --proxy-resolves)`;
}

function defaultPort(protocol: string): string {
  return protocol === "https:" ? "443" : "80";
}
