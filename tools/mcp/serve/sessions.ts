/**
 * Sessions of clients over HTTP, by the revisions of the protocol that have them: what a client cancels is a call of
 * its own session, so each has a server of its own.
 */
import { randomUUID } from "node:crypto";
import {
  isInitializeRequest,
  type Server,
  WebStandardStreamableHTTPServerTransport as Transport,
} from "./sdk-server.ts";

/** One client more ends the session that was used the longest time ago. */
const MOST_SESSIONS = 64;
const HEADER = "mcp-session-id";

export class Sessions {
  readonly #makeServer: () => Server;
  /** In the order of their last use. */
  readonly #open = new Map<string, Transport>();

  constructor(makeServer: () => Server) {
    this.#makeServer = makeServer;
  }

  /** @returns null for a request that belongs to no session and begins none */
  async handle(request: Request, body: unknown): Promise<Response | null> {
    const id = request.headers.get(HEADER);
    const known = id === null ? undefined : this.#open.get(id);
    if (id !== null && known !== undefined) {
      this.#open.delete(id);
      this.#open.set(id, known);
      return known.handleRequest(request, { parsedBody: body });
    }
    if (id !== null) return new Response("There is no such session.", { status: 404 });
    if (!isInitializeRequest(body)) return null;
    return (await this.#begin()).handleRequest(request, { parsedBody: body });
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#open.values()].map((transport) => transport.close()));
  }

  async #begin(): Promise<Transport> {
    const transport = new Transport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => {
        this.#open.set(id, transport);
        const [oldest] = this.#open;
        if (this.#open.size > MOST_SESSIONS && oldest !== undefined) void oldest[1].close();
      },
    });
    const server = this.#makeServer();
    await server.connect(transport);
    const forget = transport.onclose;
    transport.onclose = () => {
      forget?.();
      if (transport.sessionId !== undefined) this.#open.delete(transport.sessionId);
    };
    return transport;
  }
}
