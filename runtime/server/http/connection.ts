/** What the connection of a request says. */
import type { Context, HttpBindings } from "./hono.ts";

export type ServerEnv = { Bindings: HttpBindings };

/** Aborted when the client closes the connection before its answer is complete. */
export function connectionSignal(c: Context<ServerEnv>): AbortSignal {
  const { outgoing } = c.env;
  const abort = new AbortController();
  if (outgoing.destroyed) abort.abort(new ConnectionClosedError());
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) abort.abort(new ConnectionClosedError());
  });
  return abort.signal;
}

/** The client has closed its connection: this is not read. */
class ConnectionClosedError extends Error {
  constructor() {
    super("The client closed the connection.");
    this.name = "AbortError";
  }
}

/** Whether the client is on this machine, as its address says; a Unix socket has none. */
export function isLocal(c: Context<ServerEnv>): boolean {
  const address = c.env.incoming.socket.remoteAddress;
  return address === undefined || /^(?:::1$|127\.|::ffff:127\.)/.test(address);
}

/** Whether the request came by the socket of this user. */
export function isOverUnixSocket(c: Context<ServerEnv>): boolean {
  return c.env.incoming.socket.remoteAddress === undefined;
}
