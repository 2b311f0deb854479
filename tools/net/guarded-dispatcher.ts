/**
 * The undici dispatcher of everything that is requested, against server-side request forgery (SSRF): it
 * connects to an address that was checked, and to no other. The name is resolved here, every address is
 * judged, and the socket is opened to the address itself, so that a name that resolves differently a
 * moment later (DNS rebinding) changes nothing.
 *
 * undici is loaded when something is requested; most programs never do.
 */
import { lookup } from "node:dns/promises";
import { isIP, type Socket } from "node:net";

import { classifyAddress, type Resolver } from "./address.ts";
import { boundOverhead, ReceivedBytes } from "./bound-overhead.ts";
import { AddressRefusedError, asNetError, UnreachableError } from "./errors.ts";
import { firstConnected } from "./first-connected.ts";
import type { HttpProxy, ProxyRules } from "./proxy-rules.ts";
import { connectToProxy, openTunnel } from "./proxy-tunnel.ts";
import { Agent, buildConnector, type Dispatcher, fetch } from "./undici.ts";

type ConnectOptions = {
  /** Default: the system's. */
  readonly resolve?: Resolver | undefined;
  /**
   * Addresses that are not public and may be connected to nevertheless.
   *
   * @param origin  that is connected to
   */
  readonly allowAddress: (address: string, origin: URL) => boolean;
  readonly connectMs: number;
  /** Certificate authorities to trust instead of the usual ones (PEM). */
  readonly ca?: string | undefined;
  /** Speak HTTP/2 with servers that offer it. Default: no. */
  readonly http2?: boolean;
  /** Default: every host is connected to directly. */
  readonly proxies?: ProxyRules | undefined;
  /**
   * Proxies are given names instead of the addresses that were checked, and names that cannot be resolved
   * here: for proxies that decide by names, at the price that they resolve names unchecked. Default: no.
   */
  readonly proxiesResolveNames?: boolean | undefined;
};

export type DispatcherOptions = ConnectOptions & {
  /** Longest time without a byte of the response. */
  readonly silenceMs: number;
  /** Most connections to one origin. Default: any number. */
  readonly connections?: number;
  /** Most bytes of a response's head over HTTP/1. Default: Node's, 16 KiB. */
  readonly headBytes?: number;
};

/** undici by way of a dispatcher; redirects are the caller's to follow. */
export type GuardedClient = {
  readonly fetch: (url: URL, init: FetchInit) => Promise<FetchResponse>;
  /** Without what `fetch` does by itself: no headers of its own, and the body as it is sent. */
  readonly request: (url: URL, init: RequestInit) => Promise<Dispatcher.ResponseData>;
  /** Closes all connections. */
  close(): Promise<void>;
};

type FetchInit = Omit<NonNullable<Parameters<typeof fetch>[1]>, "dispatcher" | "redirect">;
type RequestInit = Pick<Dispatcher.RequestOptions, "method" | "headers" | "body" | "signal">;
export type FetchResponse = Awaited<ReturnType<typeof fetch>>;

/** Beyond these, a name's addresses are not tried. */
const MOST_ADDRESSES = 8;

const systemResolver: Resolver = async (hostname) => {
  const found = await lookup(hostname, { all: true });
  return found.map(({ address }) => address);
};

/** Its `fetch` fails with what undici throws; one of our own errors is then the `cause`. */
export function openGuardedClient(options: DispatcherOptions): GuardedClient {
  const received = new ReceivedBytes();
  const agent = new Agent({
    connect: guardedConnector(options, received),
    allowH2: options.http2 ?? false,
    ...(options.connections !== undefined && { connections: options.connections }),
    ...(options.headBytes !== undefined && { maxHeaderSize: options.headBytes }),
    headersTimeout: options.silenceMs,
    bodyTimeout: options.silenceMs,
  });
  const dispatcher = agent.compose(boundOverhead(received), throughProxies(options));
  return {
    fetch: (url, init) => fetch(url, { ...init, redirect: "manual", dispatcher }),
    request: (url, init) =>
      dispatcher.request({ origin: url.origin, path: `${url.pathname}${url.search}`, ...init }),
    close: () => agent.destroy(),
  };
}

/** Requests to `http:` origins in the form that proxies expect where they are given names (RFC 9112 3.2.2). */
function throughProxies(options: ConnectOptions): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (request, handler) => {
    const origin = new URL(String(request.origin));
    const isNamed = options.proxiesResolveNames === true && origin.protocol === "http:";
    const proxy = isNamed ? (options.proxies?.(origin) ?? null) : null;
    if (proxy === null) return dispatch(request, handler);
    const { authorization } = proxy;
    const headers = {
      ...(request.headers as Record<string, string>),
      ...(authorization !== null && { "proxy-authorization": authorization }),
    };
    return dispatch({ ...request, path: `${origin.origin}${request.path}`, headers }, handler);
  };
}

function guardedConnector(
  options: ConnectOptions,
  received: ReceivedBytes,
): buildConnector.connector {
  const connect = buildConnector({
    timeout: options.connectMs,
    allowH2: options.http2 ?? false,
    ...(options.ca !== undefined && { ca: options.ca }),
  });
  return (target, callback) => {
    connectChecked(target, options, connect).then(
      (socket) => {
        received.add(socket);
        callback(null, socket);
      },
      (error: Error) => callback(error, null),
    );
  };
}

async function connectChecked(
  target: buildConnector.Options,
  options: ConnectOptions,
  connect: buildConnector.connector,
): Promise<Socket> {
  const hostname = target.hostname.replace(/^\[(.*)\]$/, "$1");
  const origin = new URL(`${target.protocol}//${target.host ?? target.hostname}`);
  const isAllowed = (address: string): boolean => options.allowAddress(address, origin);
  const proxy = options.proxies?.(origin) ?? null;
  if (proxy !== null && options.proxiesResolveNames === true) {
    await checkName(hostname, options.resolve, isAllowed);
    return connectByName(target, hostname, proxy, options, connect);
  }
  const addresses = await permittedAddresses(hostname, options.resolve, isAllowed);
  // The certificate is held against the name, which an address for a host would replace.
  const named = { ...target, ...(isIP(hostname) === 0 && { servername: hostname }) };
  if (addresses.length === 0) throw new UnreachableError(hostname, "it has no address");
  try {
    return await firstConnected(addresses, async (address) => {
      if (proxy !== null) {
        const port = target.port || defaultPort(target.protocol);
        const tunnel = await openTunnel(proxy, address, port, connect, options.connectMs);
        return secured(named, tunnel, connect);
      }
      const socket = await opened(connect, { ...named, hostname: address });
      // What the system really did, in case it did something else.
      const remote = socket.remoteAddress ?? "";
      const found = classifyAddress(remote);
      if (isAllowed(remote) || found.isPublic) return socket;
      socket.destroy();
      throw new AddressRefusedError(hostname, remote, found.range);
    });
  } catch (error) {
    throw asNetError(error, hostname);
  }
}

/** Through a proxy that resolves names itself: a tunnel, or for `http:` a connection to the proxy. */
async function connectByName(
  target: buildConnector.Options,
  hostname: string,
  proxy: HttpProxy,
  options: ConnectOptions,
  connect: buildConnector.connector,
): Promise<Socket> {
  if (target.protocol !== "https:") return connectToProxy(proxy, connect);
  const port = target.port || defaultPort(target.protocol);
  const tunnel = await openTunnel(proxy, hostname, port, connect, options.connectMs);
  return secured({ ...target, servername: hostname }, tunnel, connect);
}

/** TLS with the host at the other end of a tunnel, where the URL says so. */
async function secured(
  target: buildConnector.Options,
  tunnel: Socket,
  connect: buildConnector.connector,
): Promise<Socket> {
  if (target.protocol !== "https:") return tunnel;
  try {
    return await opened(connect, { ...target, httpSocket: tunnel });
  } catch (error) {
    tunnel.destroy();
    throw error;
  }
}

function defaultPort(protocol: string): string {
  return protocol === "https:" ? "443" : "80";
}

/** Names of a network of its own, which only its own resolver knows (RFC 6761, 6762, 8375, and usage). */
const LOCAL_NAME =
  /^[^.]*$|\.(?:local|localdomain|localhost|internal|intranet|private|corp|home|lan|home\.arpa)$/i;

/** As far as a name can be judged that a proxy resolves: by what it stands for here, else by its ending. */
async function checkName(
  hostname: string,
  resolve: Resolver = systemResolver,
  isAllowed: (address: string) => boolean,
): Promise<void> {
  try {
    await permittedAddresses(hostname, resolve, isAllowed);
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    const name = hostname.replace(/\.$/, "");
    if (LOCAL_NAME.test(name)) {
      throw new AddressRefusedError(hostname, name, "a name of the own network");
    }
  }
}

async function permittedAddresses(
  hostname: string,
  resolve: Resolver = systemResolver,
  isAllowed: (address: string) => boolean,
): Promise<readonly string[]> {
  let found: readonly string[];
  if (isIP(hostname)) found = [hostname];
  else {
    try {
      found = await resolve(hostname);
    } catch (cause) {
      const code = cause instanceof Error && "code" in cause ? ` (${cause.code})` : "";
      throw new UnreachableError(hostname, `its name cannot be resolved${code}`, { cause });
    }
  }
  const judged = found
    .slice(0, MOST_ADDRESSES)
    .map((address) => ({ address, verdict: classifyAddress(address) }));
  const permitted = judged
    .filter(({ address, verdict }) => verdict.isPublic || isAllowed(address))
    .map(({ address }) => address);
  const [first] = judged;
  if (permitted.length === 0 && first !== undefined && !first.verdict.isPublic) {
    throw new AddressRefusedError(hostname, first.address, first.verdict.range);
  }
  return permitted;
}

function opened(
  connect: buildConnector.connector,
  target: buildConnector.Options,
): Promise<Socket> {
  return new Promise((done, failed) => {
    connect(target, (error, socket) => {
      if (error) failed(error);
      else if (socket) done(socket);
    });
  });
}
