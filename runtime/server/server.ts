/** A server that is at work: its sockets, its end. */
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Admission } from "./admission.ts";
import { createApp } from "./app.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { ServerConfiguration } from "./configuration.ts";
import type { ServerContext } from "./context.ts";
import { ServerError } from "./errors.ts";
import { getRequestListener } from "./http/hono.ts";
import { Metrics } from "./metrics.ts";
import type { ModelSource } from "./models/model-source.ts";
import { ServedModels } from "./models/served-models.ts";
import type { Responses } from "./responses/response-run.ts";
import {
  ResponseStore,
  ResponseStoreError,
  type ResponseStoreLimits,
} from "./responses/response-store.ts";
import { TraceSeal } from "./responses/sealed-trace.ts";
import type { ServerTools } from "./responses/server-tools.ts";
import { ReasoningMemory } from "./turn/reasoning-memory.ts";
import { PageRuns } from "./web/page-runs.ts";
import type { PageServices } from "./web/services.ts";

export type ServerOptions = {
  readonly configuration: ServerConfiguration;
  readonly source: ModelSource;
  /** A Unix socket beside the port: a request on it is this user's. */
  readonly socketPath?: string | undefined;
  /** The file of responses. Default: in memory. */
  readonly responsesPath?: string;
  readonly responseLimits?: ResponseStoreLimits;
  /** What the Responses API carries out itself. Default: nothing. */
  readonly serverTools?: ServerTools;
  /** What the page at `/` works with. Default: there is no page. */
  readonly page?: PageServices;
  readonly clock?: Clock;
  readonly note?: (sentence: string) => void;
};

export type RunningServer = AsyncDisposable & {
  /** `http://127.0.0.1:11434` */
  readonly url: string;
  readonly port: number;
  readonly context: ServerContext;
  /** Open ones, used or not. */
  connections(): Promise<number>;
  /** Resolves when the server is to end: no request has come for long, or its socket was told so. */
  readonly ended: Promise<void>;
  /** Ends the server: nothing new is taken, what runs has its grace, then it is told. */
  close(): Promise<void>;
};

/** Connections at the same time; each holds a few buffers. */
const MAX_CONNECTIONS = 1024;
const MAX_HEADER_BYTES = 16 << 10;
/** How often connections are looked at that send too slowly. */
const MAX_CHECKING_MS = 5_000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

/** @throws ServerError where the address cannot be had */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { configuration, source, clock = systemClock, note = () => {} } = options;
  const { slots, maxQueue, maxModels, keepAliveMs, loadTimeoutMs, idleMs, graceMs } = configuration;
  const admission = new Admission({ slots, maxQueue });
  const closing = new AbortController();
  const context: ServerContext = {
    configuration,
    models: new ServedModels({ source, clock, maxModels, keepAliveMs, loadTimeoutMs, note }),
    admission,
    memory: new ReasoningMemory(),
    metrics: new Metrics(admission),
    clock,
    responses: openResponses(options, closing.signal),
    note,
    closing: closing.signal,
  };
  const ended = Promise.withResolvers<void>();
  let isClosing = false;
  let forgetIdle = (): void => {};
  const stayAwake = (): void => {
    forgetIdle();
    if (idleMs === Number.POSITIVE_INFINITY || isClosing) return;
    forgetIdle = clock.after(idleMs, () => {
      if (admission.running + admission.waiting > 0 || pageRuns?.isBusy) stayAwake();
      else ended.resolve();
    });
  };
  const pageRuns = options.page === undefined ? null : new PageRuns(context, options.page);
  const app = createApp(context, {
    pageRuns,
    isClosing: () => isClosing,
    stop: () => ended.resolve(),
    onRequest: stayAwake,
  });
  const listener = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    hostname: "localhost",
  });
  const servers: Server[] = [];
  /** Requests that are not answered. */
  let active = 0;
  let quiet = Promise.withResolvers<void>();
  /** @returns whether every request was answered in time */
  const quietWithin = async (ms: number): Promise<boolean> => {
    const late = Promise.withResolvers<false>();
    const forget = clock.after(ms, () => late.resolve(false));
    try {
      const { live } = context.responses;
      while (active > 0 || live.size > 0) {
        quiet = Promise.withResolvers();
        // A response in the background has no connection.
        const ended = Promise.all([...live.values()].map((response) => response.ended()));
        const work: Promise<unknown> = active > 0 ? quiet.promise : ended;
        if ((await Promise.race([work, late.promise])) === false) return false;
      }
      return true;
    } finally {
      forget();
    }
  };
  const open = async (listen: (server: Server) => void): Promise<Server> => {
    const server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: configuration.headersTimeoutMs,
        requestTimeout: configuration.requestTimeoutMs,
        connectionsCheckingInterval: Math.min(MAX_CHECKING_MS, configuration.headersTimeoutMs),
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      },
      (incoming, outgoing) => {
        // A client that goes while its body is read, or its answer written, is no failure of the server.
        incoming.on("error", () => {});
        outgoing.on("error", () => {});
        active++;
        outgoing.on("close", () => {
          active--;
          if (active === 0) quiet.resolve();
        });
        void listener(incoming, outgoing);
      },
    );
    server.maxConnections = MAX_CONNECTIONS;
    server.timeout = configuration.stallMs;
    servers.push(server);
    const listening = Promise.withResolvers<void>();
    server.once("error", listening.reject);
    server.once("listening", listening.resolve);
    listen(server);
    await listening.promise;
    server.removeAllListeners("error");
    server.on("error", (error) => note(`A socket of the server failed: ${error.message}`));
    return server;
  };
  const { host } = configuration;
  let address: AddressInfo;
  try {
    const server = await open((one) => one.listen(configuration.port, host));
    address = server.address() as AddressInfo;
    const { socketPath } = options;
    if (socketPath !== undefined) {
      rmSync(socketPath, { force: true });
      await open((one) => one.listen(socketPath));
      chmodSync(socketPath, 0o600);
    }
  } catch (cause) {
    for (const server of servers) server.close();
    throw unavailable(host, configuration.port, cause);
  }
  stayAwake();
  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closed ??= (async () => {
      isClosing = true;
      forgetIdle();
      if (!(await quietWithin(graceMs))) {
        // What still runs is told the end inside of its answer.
        closing.abort(
          new ServerError("CHORALE_SERVER_CLOSING", "The server is closing.", { status: 503 }),
        );
        await quietWithin(LAST_WORDS_MS);
      }
      const gone = Promise.all(servers.map(closeServer));
      // Also those that have not asked anything yet.
      for (const server of servers) server.closeAllConnections();
      await gone;
      await pageRuns?.close();
      await context.models.close();
      context.responses.store.close();
      if (options.socketPath !== undefined) rmSync(options.socketPath, { force: true });
    })();
    return closed;
  };
  const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}`,
    port: address.port,
    context,
    connections: async () => {
      const counts = await Promise.all(servers.map(connectionsOf));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    ended: ended.promise,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A file that cannot be used is no reason not to answer: then responses go with the process. */
function openResponses(
  {
    responsesPath = ":memory:",
    responseLimits,
    serverTools = {},
    configuration,
    note = () => {},
  }: ServerOptions,
  closing: AbortSignal,
): Responses {
  let store: ResponseStore;
  try {
    store = new ResponseStore(responsesPath, responseLimits);
  } catch (error) {
    if (!(error instanceof ResponseStoreError)) throw error;
    note(`${error.message}. Responses are kept as long as this server runs.`);
    store = new ResponseStore(":memory:", responseLimits);
  }
  return {
    store,
    seal: new TraceSeal(store.secret("trace")),
    tools: serverTools,
    live: new Map(),
    names: configuration.eventNames,
    closing,
    warn: note,
  };
}

/** Time in which answers are ended that were cut off. */
const LAST_WORDS_MS = 2_000;

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function unavailable(host: string, port: number, cause: unknown): ServerError {
  const code = cause instanceof Error && "code" in cause ? cause.code : null;
  const why =
    code === "EADDRINUSE"
      ? "another program listens there; accepted: --listen with another port"
      : cause instanceof Error
        ? cause.message
        : String(cause);
  return new ServerError(
    "CHORALE_SERVER_CONFIGURATION",
    `The server cannot listen at ${host}:${port}: ${why}.`,
    { cause },
  );
}
