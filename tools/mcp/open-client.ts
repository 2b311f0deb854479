/** One connection to a server: process or HTTP client, transport, and the SDK's client on it, introduced. */

import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf } from "../core/text.ts";
import { withTimeout } from "../core/with-timeout.ts";
import { childEnvironment } from "./child-env.ts";
import type { McpEndpoint, McpServerConfig } from "./config.ts";
import type { Elicitations } from "./elicitation.ts";
import { McpError } from "./errors.ts";
import type { HttpClient } from "./http-client.ts";
import type { AuthorizationProvider } from "./oauth.ts";
import type { Client, OAuthClientProvider, Transport } from "./sdk.ts";
import { untrustedLine } from "./untrusted-text.ts";

type Sdk = typeof import("./sdk.ts");

export type OpenClientOptions = {
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  readonly elicitations: Elicitations;
  /** For servers on the network that ask for an authorization. */
  readonly auth?: (() => Promise<OAuthClientProvider>) | undefined;
  /** Told that a list of the server's has changed. */
  readonly onListChanged: (which: "tools" | "resources" | "prompts") => void;
  /** Called once when the connection is gone, unless `close` was called. */
  readonly onLost: () => void;
  /** Gets what the SDK could not make anything of. */
  readonly onProblem: (problem: Error) => void;
};

export type OpenedClient = {
  readonly client: Client;
  /** Goes on after the user has authorized this program. @returns false where the user was not asked */
  finishAuthorization(): Promise<boolean>;
  /** Why the connection is gone, as the end of a sentence; null where that is not known. */
  readonly endedBecause: () => string | null;
  close(): Promise<void>;
};

/** Silence of a stream of events is ordinary; undici would end it. */
const SILENCE_MS = 30 * 60_000;
const PROBLEM_UNITS = 400;
const CLOSE_LIMIT_MS = 4_000;
const SHORTEST_RECONNECT_MS = 100;
const FIRST_RECONNECT_MS = 500;
const LONGEST_RECONNECT_MS = 30_000;
const MOST_AUTHORIZATIONS = 2;
const METHOD_NOT_FOUND = -32601;
const UNSUPPORTED_VERSION = -32022;
/** What a server answers that does not know Streamable HTTP (the protocol's rule for clients). */
const NO_STREAMABLE_HTTP: ReadonlySet<number | undefined> = new Set([400, 404, 405, 406, 415]);

/**
 * @throws McpError (CHORALE_MCP_CONNECT, CHORALE_MCP_AUTHORIZATION); nothing is left running
 */
export async function openClient(
  config: McpServerConfig,
  options: OpenClientOptions,
  signal: AbortSignal,
): Promise<OpenedClient> {
  const sdk = await import("./sdk.ts");
  const { target } = config;
  let way: Way = {
    isModern: false,
    isOld: target.kind === "http" && target.transport === "sse",
  };
  const tried = new Set<string>();
  for (let authorizations = 0; ; ) {
    try {
      return await connect(sdk, config, options, signal, way);
    } catch (error) {
      const cause = error instanceof ConnectFailure ? error.cause : error;
      if (signal.aborted) throw failure(sdk, config, signal.reason);
      if (error instanceof ConnectFailure && error.isAuthorized) {
        if (++authorizations <= MOST_AUTHORIZATIONS) continue;
      }
      tried.add(JSON.stringify(way));
      const next = nextWay(sdk, config, cause, way);
      if (next === null || tried.has(JSON.stringify(next))) {
        throw failure(sdk, config, cause, error);
      }
      way = next;
    }
  }
}

/** How a server is spoken to: in the revision without `initialize`, by the older HTTP transport. */
type Way = { readonly isModern: boolean; readonly isOld: boolean };

/** Another way of connecting that may work, after what went wrong on this one. */
function nextWay(sdk: Sdk, { target }: McpServerConfig, error: unknown, way: Way): Way | null {
  const isRefused = error instanceof sdk.ProtocolError;
  if (isRefused && [METHOD_NOT_FOUND, UNSUPPORTED_VERSION].includes(error.code)) {
    return { ...way, isModern: true };
  }
  const isUnknown = error instanceof sdk.SdkHttpError && NO_STREAMABLE_HTTP.has(error.status);
  return target.kind === "http" && target.transport === "auto" && isUnknown
    ? { isModern: false, isOld: true }
    : null;
}

/** What went wrong, with what the process itself said. */
class ConnectFailure extends Error {
  readonly ended: string | null;
  /** The user has authorized this program meanwhile. */
  readonly isAuthorized: boolean;

  constructor(cause: unknown, ended: string | null, isAuthorized: boolean) {
    super(messageOf(cause), { cause });
    this.ended = ended;
    this.isAuthorized = isAuthorized;
  }
}

async function connect(
  sdk: Sdk,
  config: McpServerConfig,
  options: OpenClientOptions,
  signal: AbortSignal,
  { isModern, isOld }: Way,
): Promise<OpenedClient> {
  const client = makeClient(sdk, config, options, isModern);
  const { transport, http, provider } = await openTransport(sdk, config, options, isOld);
  const finishAuthorization = async (): Promise<boolean> => {
    const returned = (provider as Partial<AuthorizationProvider> | undefined)?.takeReturned?.();
    if (!returned || !("finishAuth" in transport)) return false;
    await (transport as { finishAuth(returned: URLSearchParams): Promise<void> }).finishAuth(
      returned,
    );
    return true;
  };
  const endedBecause = (): string | null =>
    "ended" in transport ? (transport as { readonly ended: string | null }).ended : null;
  const close = async (): Promise<void> => {
    isOpen = false;
    const ending = (async () => {
      if (transport instanceof sdk.StreamableHTTPClientTransport) {
        await transport.terminateSession().catch(() => {});
      }
      await client.close();
      await transport.close();
    })();
    await withTimeout(CLOSE_LIMIT_MS, "closing takes too long", ending).catch(() => {});
    await http?.close();
  };
  let isOpen = false;
  client.onerror = (error) => options.onProblem(error);
  client.onclose = () => {
    // Before that, `connect` says it.
    if (!isOpen) return;
    isOpen = false;
    void http?.close();
    options.onLost();
  };
  try {
    await client.connect(transport, { signal, timeout: config.startupTimeoutMs });
  } catch (error) {
    const ended = endedBecause();
    let reason: unknown = error;
    let isAuthorized = false;
    try {
      isAuthorized = error instanceof sdk.UnauthorizedError && (await finishAuthorization());
    } catch (refusal) {
      reason = refusal;
    }
    await close();
    throw new ConnectFailure(reason, ended, isAuthorized);
  }
  isOpen = true;
  return { client, finishAuthorization, endedBecause, close };
}

function makeClient(
  sdk: Sdk,
  { roots, name }: McpServerConfig,
  { elicitations, version, onListChanged }: OpenClientOptions,
  isModern: boolean,
): Client {
  const changed = (which: "tools" | "resources" | "prompts") => ({
    autoRefresh: false,
    debounceMs: 200,
    onChanged: () => onListChanged(which),
  });
  const client = new sdk.Client(
    { name: "chorale", version },
    {
      capabilities: {
        elicitation: { form: { applyDefaults: true } },
        ...(roots.length > 0 && { roots: {} }),
      },
      // Checked here in a thread with a deadline; the SDK would do it in this one.
      jsonSchemaValidator: {
        getValidator: () => (data) => ({
          valid: true,
          data: data as never,
          errorMessage: undefined,
        }),
      },
      listChanged: {
        tools: changed("tools"),
        resources: changed("resources"),
        prompts: changed("prompts"),
      },
      ...(isModern && { versionNegotiation: { mode: "auto" as const } }),
    },
  );
  client.setRequestHandler("elicitation/create", async ({ params }, { mcpReq }) => {
    const answer = await elicitations.answer(params, mcpReq.signal);
    return answer.action === "accept"
      ? { action: "accept", content: structuredClone(answer.content) as Record<string, string> }
      : { action: answer.action };
  });
  if (roots.length > 0) {
    client.setRequestHandler("roots/list", () => ({
      roots: roots.map((path) => ({ uri: pathToFileURL(path).href, name: basename(path) || name })),
    }));
  }
  return client;
}

async function openTransport(
  sdk: Sdk,
  { target }: McpServerConfig,
  { env, auth }: OpenClientOptions,
  isOld: boolean,
): Promise<{
  readonly transport: Transport;
  readonly http?: HttpClient;
  readonly provider?: OAuthClientProvider | undefined;
}> {
  if (target.kind === "stdio") {
    const { StdioTransport } = await import("./stdio-transport.ts");
    return { transport: new StdioTransport(target, childEnvironment(env, target.env)) };
  }
  const url = new URL(target.url);
  const { openHttpClient } = await import("./http-client.ts");
  const http = await openHttpClient(url, SILENCE_MS);
  const provider = hasAuthorization(target) ? undefined : await auth?.();
  const common = {
    fetch: http.fetch,
    requestInit: { headers: { ...target.headers } },
    ...(provider !== undefined && { authProvider: provider }),
    skipIssuerMetadataValidation: target.oauth.skipIssuerValidation ?? false,
  };
  const transport = isOld
    ? new sdk.SSEClientTransport(url, common)
    : new sdk.StreamableHTTPClientTransport(url, {
        ...common,
        reconnectionOptions: {
          initialReconnectionDelay: FIRST_RECONNECT_MS,
          maxReconnectionDelay: LONGEST_RECONNECT_MS,
          reconnectionDelayGrowFactor: 2,
          maxRetries: 8,
        },
        reconnectionScheduler: reconnectWithPauses(),
      });
  return { transport, http, provider };
}

/**
 * A server says when a stream that has ended is to be asked for again: after no time, for all that it knows of this
 * client. Streams that end soon after they began are asked for less and less often.
 */
function reconnectWithPauses(): (reconnect: () => void, delayMs: number) => () => void {
  let lastAt = Number.NEGATIVE_INFINITY;
  let lastMs = 0;
  return (reconnect, delayMs) => {
    const now = performance.now();
    const isSoon = now - lastAt < LONGEST_RECONNECT_MS + lastMs;
    const wanted = Math.max(delayMs, isSoon ? lastMs * 2 : 0, SHORTEST_RECONNECT_MS);
    lastMs = Math.min(wanted, LONGEST_RECONNECT_MS);
    lastAt = now;
    const timer = setTimeout(reconnect, lastMs);
    timer.unref();
    return () => clearTimeout(timer);
  };
}

/** A token that the user gave is the one to use. */
function hasAuthorization({ headers }: McpEndpoint): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
}

function failure(
  sdk: Sdk,
  { name, target, startupTimeoutMs }: McpServerConfig,
  error: unknown,
  from?: unknown,
): McpError {
  if (error instanceof McpError) return error;
  const { server, cause } = { server: name, cause: error };
  const status = error instanceof sdk.SdkHttpError ? error.status : undefined;
  if (error instanceof sdk.UnauthorizedError || status === 401 || status === 403) {
    const message = `The MCP server ${name} refuses access without an authorization that it accepts.`;
    return new McpError("CHORALE_MCP_AUTHORIZATION", message, { server, cause });
  }
  const ended = from instanceof ConnectFailure ? from.ended : null;
  const isLate = error instanceof sdk.SdkError && /timed? ?out/i.test(error.message);
  const what = target.kind === "stdio" ? target.command : target.url;
  const why =
    ended ??
    (isLate
      ? `it did not answer within ${startupTimeoutMs / 1000} s`
      : untrustedLine(reasonOf(error), PROBLEM_UNITS));
  return new McpError(
    "CHORALE_MCP_CONNECT",
    `The MCP server ${name} (${what}) cannot be used: ${why.replace(/\.$/, "")}.`,
    { server, cause },
  );
}

/** The innermost reason: what undici throws says only that it failed. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && cause.message !== "" ? reasonOf(cause) : messageOf(error);
}
