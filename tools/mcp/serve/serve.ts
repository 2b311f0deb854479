/** Tools as a server of the Model Context Protocol: on this process's standard streams, or on a port of this machine. */
import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf } from "../../core/text.ts";
import type { Tool, ToolProgress } from "../../core/tool.ts";
import { McpError } from "../errors.ts";
import type { Server, ServerContext } from "./sdk-server.ts";
import {
  type ServedResult,
  ServedTools,
  type ServedToolsOptions,
  UnknownToolError,
} from "./served-tools.ts";
import type { Sessions } from "./sessions.ts";

export type ServeMcpOptions = ServedToolsOptions & {
  readonly tools: readonly Tool[];
  /** Of this program, which clients are told. */
  readonly version: string;
  /** What clients are told about the tools as a whole. */
  readonly instructions?: string | undefined;
  /** Ends the server. */
  readonly signal: AbortSignal;
  /** Gets sentences for the person who watches. */
  readonly onNote: (sentence: string) => void;
};

const LARGEST_REQUEST_BYTES = 16 * 1024 * 1024;
const INVALID_PARAMS = -32602;
/** Connections, each of which may hold a stream of events. */
const MOST_CONNECTIONS = 64;

type Sdk = typeof import("./sdk-server.ts");

/** Serves one client on stdin and stdout; resolves when it is gone, or the signal is aborted. */
export async function serveMcpStdio(options: ServeMcpOptions): Promise<void> {
  const sdk = await import("./sdk-server.ts");
  const served = new ServedTools(options.tools, options);
  const gone = Promise.withResolvers<void>();
  const transport = new sdk.StdioServerTransport(process.stdin, process.stdout, {
    maxBufferSize: LARGEST_REQUEST_BYTES,
  });
  const handle = sdk.serveStdio(() => makeServer(sdk, served, options), {
    transport,
    onerror: (error) => options.onNote(messageOf(error)),
  });
  for (const event of ["end", "close"]) process.stdin.once(event, () => gone.resolve());
  options.signal.addEventListener("abort", () => gone.resolve(), { once: true });
  if (options.signal.aborted) gone.resolve();
  await gone.promise;
  await handle.close();
}

export type ServedHttp = AsyncDisposable & {
  /** Where clients find it. */
  readonly url: string;
};

/**
 * Serves clients of this machine over Streamable HTTP.
 *
 * @param port  0: any that is free
 * @param token  that clients must send as a bearer token; undefined: none
 * @throws McpError where the port cannot be had
 */
export async function serveMcpHttp(
  options: ServeMcpOptions,
  { port, token }: { readonly port: number; readonly token?: string | undefined },
): Promise<ServedHttp> {
  const sdk = await import("./sdk-server.ts");
  const served = new ServedTools(options.tools, options);
  const newServer = (): Server => makeServer(sdk, served, options);
  // Clients of later revisions have no sessions.
  const handler = sdk.createMcpHandler(newServer);
  const { Sessions } = await import("./sessions.ts");
  const sessions = new Sessions(newServer);
  // Not imported, since that takes time where no server is started.
  const { createServer } = process.getBuiltinModule("node:http");
  const server = createServer(async (request, response) => {
    try {
      const gone = new AbortController();
      response.once("close", () => gone.abort());
      const asked = toRequest(request, gone.signal);
      const refusal =
        // A page in a browser must not be able to reach it by another name of this machine (DNS rebinding).
        sdk.hostHeaderValidationResponse(asked, sdk.localhostAllowedHostnames()) ??
        sdk.originValidationResponse(asked, sdk.localhostAllowedOrigins()) ??
        unlessAuthorized(asked, token);
      await send(refusal ?? (await answer(asked, request, sessions, handler)), response);
    } catch (error) {
      options.onNote(`A request failed: ${messageOf(error)}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  });
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      const message = `The port ${port} cannot be served on: ${cause.message}.`;
      reject(new McpError("CHORALE_MCP_CONNECT", message, { cause }));
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  const close = async (): Promise<void> => {
    await sessions.close();
    await handler.close();
    server.closeAllConnections();
    await new Promise<void>((done) => server.close(() => done()));
  };
  const { port: taken } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${taken}/mcp`, [Symbol.asyncDispose]: close };
}

async function answer(
  asked: Request,
  request: IncomingMessage,
  sessions: Sessions,
  handler: ReturnType<Sdk["createMcpHandler"]>,
): Promise<Response> {
  if (asked.method !== "POST") {
    const refused = new Response("There is no session.", { status: 405 });
    return (await sessions.handle(asked, undefined)) ?? refused;
  }
  if (!/^application\/json\b/i.test(asked.headers.get("content-type") ?? "")) {
    return new Response("Accepted: application/json.", { status: 415 });
  }
  const body = await readBody(request);
  if (body === null) return new Response("The body is too long.", { status: 413 });
  let parsedBody: unknown;
  try {
    parsedBody = JSON.parse(body);
  } catch {
    return new Response("The body is no JSON.", { status: 400 });
  }
  return (await sessions.handle(asked, parsedBody)) ?? handler.fetch(asked, { parsedBody });
}

/** Null for one that is too long; its rest is not read. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LARGEST_REQUEST_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function makeServer(
  sdk: Sdk,
  served: ServedTools,
  { version, instructions, signal }: ServeMcpOptions,
): Server {
  const server = new sdk.Server(
    { name: "chorale", version },
    { capabilities: { tools: {} }, ...(instructions !== undefined && { instructions }) },
  );
  server.setRequestHandler("tools/list", () => ({
    tools: served.list.map((tool) => ({ ...tool })),
  }));
  server.setRequestHandler("tools/call", async ({ params }, { mcpReq }) => {
    try {
      const result = await served.call({
        name: params.name,
        arguments: params.arguments,
        signal: AbortSignal.any([signal, mcpReq.signal]),
        onProgress: progressTo(mcpReq),
      });
      return result as Mutable<ServedResult>;
    } catch (error) {
      if (!(error instanceof UnknownToolError)) throw error;
      throw new sdk.ProtocolError(INVALID_PARAMS, error.message);
    }
  });
  return server;
}

/** What the SDK's types say of a result. */
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] } & { content: [] };

function progressTo(
  request: ServerContext["mcpReq"],
): ((progress: ToolProgress) => void) | undefined {
  const progressToken = request._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return (progress) => {
    const params = { ...progress, progressToken };
    // A client that is gone needs no progress.
    request.notify({ method: "notifications/progress", params }).catch(() => {});
  };
}

function unlessAuthorized(request: Request, token: string | undefined): Response | undefined {
  if (token === undefined) return undefined;
  const given = Buffer.from(request.headers.get("authorization") ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return undefined;
  return new Response("A bearer token is needed.", {
    status: 401,
    headers: { "www-authenticate": "Bearer" },
  });
}

/** Without the body, which is read apart. */
function toRequest(request: IncomingMessage, signal: AbortSignal): Request {
  const { method = "GET", url = "/", headers } = request;
  const pairs = Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? ""]).map((one): [string, string] => [name, one]),
  );
  return new Request(new URL(url, `http://${headers.host ?? "127.0.0.1"}`), {
    method,
    headers: pairs,
    signal,
  });
}

async function send(answer: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (answer.body === null) {
    response.end();
    return;
  }
  response.flushHeaders();
  const reader = answer.body.getReader();
  const gone = new Promise<void>((resolve) => response.once("close", resolve));
  void gone.then(() => reader.cancel()).catch(() => {});
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (response.write(part.value)) continue;
    await Promise.race([new Promise((drained) => response.once("drain", drained)), gone]);
  }
  response.end();
}
