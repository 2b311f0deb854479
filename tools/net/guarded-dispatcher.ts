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
import { AddressRefusedError, UnreachableError } from "./errors.ts";
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
};

export type DispatcherOptions = ConnectOptions & {
  /** Longest time without a byte of the response. */
  readonly silenceMs: number;
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
    headersTimeout: options.silenceMs,
    bodyTimeout: options.silenceMs,
  });
  const dispatcher = agent.compose(boundOverhead(received));
  return {
    fetch: (url, init) => fetch(url, { ...init, redirect: "manual", dispatcher }),
    request: (url, init) =>
      dispatcher.request({ origin: url.origin, path: `${url.pathname}${url.search}`, ...init }),
    close: () => agent.destroy(),
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
  const addresses = await permittedAddresses(hostname, options.resolve, isAllowed);
  let last: unknown;
  for (const address of addresses) {
    try {
      // The certificate is held against the name, which an address for a host would replace.
      const servername = isIP(hostname) ? {} : { servername: hostname };
      const socket = await opened(connect, { ...target, ...servername, hostname: address });
      // What the system really did, in case it did something else.
      const remote = socket.remoteAddress ?? "";
      if (!isAllowed(remote)) {
        const found = classifyAddress(remote);
        if (!found.isPublic) {
          socket.destroy();
          throw new AddressRefusedError(hostname, remote, found.range);
        }
      }
      return socket;
    } catch (error) {
      if (error instanceof AddressRefusedError) throw error;
      last = error;
    }
  }
  const why = last instanceof Error ? last.message : "it has no address";
  throw new UnreachableError(hostname, why, { cause: last });
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
