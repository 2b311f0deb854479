/**
 * Connecting to an address that was checked, and to no other: the name is resolved here, every address is
 * judged, and the socket is opened to the address itself, so that a name that resolves differently a
 * moment later (DNS rebinding) changes nothing.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { buildConnector } from "undici";
import { classifyAddress } from "./address.ts";
import { AddressRefusedError, UnreachableError } from "./errors.ts";

/** Addresses of a name, in the order in which they are tried. */
export type Resolver = (hostname: string) => Promise<readonly string[]>;

export type ConnectOptions = {
  readonly resolve: Resolver;
  /** Addresses that are not public and may be connected to nevertheless. */
  readonly allowAddress: (address: string) => boolean;
  readonly timeoutMs: number;
  readonly ca?: string | undefined;
};

/** Beyond these, a name's addresses are not tried. */
const MOST_ADDRESSES = 8;

export const systemResolver: Resolver = async (hostname) => {
  const found = await lookup(hostname, { all: true });
  return found.map(({ address }) => address);
};

/** An undici connector. It fails with one of our errors, which undici passes on as `cause`. */
export function guardedConnector(options: ConnectOptions): buildConnector.connector {
  const connect = buildConnector({
    timeout: options.timeoutMs,
    ...(options.ca !== undefined && { ca: options.ca }),
  });
  return (target, callback) => {
    connectChecked(target, options, connect).then(
      (socket) => callback(null, socket),
      (error: Error) => callback(error, null),
    );
  };
}

type Socket = NonNullable<Parameters<buildConnector.Callback>[1]>;

async function connectChecked(
  target: buildConnector.Options,
  options: ConnectOptions,
  connect: buildConnector.connector,
): Promise<Socket> {
  const hostname = target.hostname.replace(/^\[(.*)\]$/, "$1");
  const addresses = await permittedAddresses(hostname, options);
  let last: unknown;
  for (const address of addresses) {
    try {
      // The certificate is held against the name, which an address for a host would replace.
      const servername = isIP(hostname) ? {} : { servername: hostname };
      const socket = await opened(connect, { ...target, ...servername, hostname: address });
      // What the system really did, in case it did something else.
      const remote = socket.remoteAddress ?? "";
      if (!options.allowAddress(remote)) {
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
  { resolve, allowAddress }: ConnectOptions,
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
    .filter(({ address, verdict }) => verdict.isPublic || allowAddress(address))
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
