/**
 * Requests to a server of models: one base URL, one key for it, bodies of JSON, answers as they come. Redirects are
 * not followed, so that a key never reaches another host; certificates are verified as Node does.
 */
import type { Agent, IncomingMessage } from "node:http";
import { RemoteEngineError, type RemoteEngineErrorCode } from "../errors.ts";

export type EngineClientOptions = {
  /** What paths are put behind. */
  readonly base: URL;
  /** Sent as `Authorization: Bearer`; never part of an error. */
  readonly apiKey?: string | undefined;
  /** Milliseconds to connect in. Default 10,000. */
  readonly connectMs?: number | undefined;
  /** Milliseconds that a server may be silent, before its answer and within it. Default 300,000. */
  readonly idleMs?: number | undefined;
};

export type EngineRequest = {
  readonly method: "GET" | "POST";
  /** With a slash at its beginning. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: object | undefined;
  /** Closes the connection, by which a server knows that the caller no longer waits. */
  readonly signal?: AbortSignal | undefined;
};

export type EngineAnswer = {
  readonly status: number;
  /** @param name in lower case */
  header(name: string): string | undefined;
  /**
   * The body, read no faster than it is asked for. Leaving the loop closes the connection.
   * @throws PassingFailure when it breaks off or is silent for too long; the signal's reason
   */
  chunks(): AsyncGenerator<Uint8Array, void, void>;
  /** Gives up on the body. */
  cancel(): void;
};

/** What may be otherwise in a moment, or with another server. */
export class PassingFailure extends Error {
  /** Milliseconds that the server asks for; undefined where it says nothing. */
  readonly retryAfterMs: number | undefined;
  constructor(message: string, retryAfterMs?: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** Of a connection that the other side has closed. */
const CLOSED: ReadonlySet<string | undefined> = new Set(["ECONNRESET", "EPIPE"]);
const CONNECT_MS = 10_000;
const IDLE_MS = 300_000;
/** Of an answer that is read whole. */
const MAX_JSON_BYTES = 64 << 20;
/** Of an answer that says what is wrong. */
const MAX_ERROR_BYTES = 64 << 10;
const MAX_ERROR_CHARACTERS = 300;

export class EngineClient {
  readonly base: URL;
  readonly #apiKey: string | undefined;
  readonly #connectMs: number;
  readonly #idleMs: number;
  readonly #http: Pick<typeof import("node:http"), "request">;
  readonly #agent: Agent;

  constructor({ base, apiKey, connectMs = CONNECT_MS, idleMs = IDLE_MS }: EngineClientOptions) {
    this.base = base;
    this.#apiKey = apiKey;
    this.#connectMs = connectMs;
    this.#idleMs = idleMs;
    // Not imported: an import reads all that node:http has, its fetch as well, while the program starts.
    const isTls = base.protocol === "https:";
    const http = process.getBuiltinModule(isTls ? "node:https" : "node:http");
    this.#http = http;
    this.#agent = new http.Agent({ keepAlive: true });
  }

  /**
   * @throws PassingFailure when there is no answer; the signal's reason
   */
  async send({ method, path, body, signal }: EngineRequest): Promise<EngineAnswer> {
    signal?.throwIfAborted();
    const url = new URL(this.base.pathname.replace(/\/$/, "") + path, this.base);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const silence = new Silence(this.#idleMs);
    const once = (): Promise<IncomingMessage | null> =>
      new Promise((resolve, reject) => {
        const asked = this.#http.request(
          url,
          {
            method,
            agent: this.#agent,
            headers: {
              accept: "application/json, text/event-stream, application/x-ndjson",
              "accept-encoding": "identity",
              "user-agent": "chorale",
              ...(this.#apiKey !== undefined && { authorization: `Bearer ${this.#apiKey}` }),
              ...(text !== undefined && {
                "content-type": "application/json",
                "content-length": String(Buffer.byteLength(text)),
              }),
            },
            signal,
          },
          resolve,
        );
        asked.on("error", (error: NodeJS.ErrnoException) => {
          // The server closed a connection that was kept from an earlier answer, as llama-server does behind a stream.
          if (asked.reusedSocket && CLOSED.has(error.code)) resolve(null);
          else reject(signal?.aborted ? signal.reason : this.#failure(error));
        });
        asked.on("socket", (socket) => {
          if (!socket.connecting) return;
          const timer = setTimeout(() => {
            asked.destroy(new Error(`no connection within ${this.#connectMs / 1000} s`));
          }, this.#connectMs);
          const forget = (): void => clearTimeout(timer);
          socket.once(url.protocol === "https:" ? "secureConnect" : "connect", forget);
          socket.once("close", forget);
        });
        silence.begin((error) => asked.destroy(error));
        asked.end(text);
      });
    let response: IncomingMessage | null = null;
    // Each try takes a kept connection away, until there is none and a new one is made.
    while (response === null) response = await once().finally(() => silence.end());
    const answered = response;
    const { statusCode = 0, headers } = response;
    return {
      status: statusCode,
      header: (name) => [headers[name] ?? []].flat()[0],
      chunks: () => this.#chunks(answered, silence, signal),
      // Its error would have no reader.
      cancel: () => void answered.on("error", () => {}).destroy(),
    };
  }

  /**
   * An answer with the status 200.
   * @throws PassingFailure, RemoteEngineError for another status
   */
  async expect(request: EngineRequest): Promise<EngineAnswer> {
    const answer = await this.send(request);
    if (answer.status === 200) return answer;
    throw await this.#statusFailure(answer, request.path);
  }

  /** The JSON of an answer with the status 200. @throws as `expect` */
  async json(request: EngineRequest): Promise<unknown> {
    const answer = await this.expect(request);
    const text = await readText(answer, MAX_JSON_BYTES);
    try {
      if (text !== null) return JSON.parse(text);
    } catch {
      // Said below.
    }
    throw this.error("CHORALE_ENGINE_PROTOCOL", `answers ${request.path} with what is no JSON`);
  }

  /** @param problem a sentence without its subject, which is the server */
  error(code: RemoteEngineErrorCode, problem: string): RemoteEngineError {
    return new RemoteEngineError(code, `${this.base.host} ${this.#withoutKey(problem)}.`);
  }

  close(): void {
    this.#agent.destroy();
  }

  async *#chunks(
    response: IncomingMessage,
    silence: Silence,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void, void> {
    const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    try {
      for (;;) {
        // Time in which the caller asks for nothing is not the server's.
        silence.begin((error) => response.destroy(error));
        const next = await chunks.next();
        silence.end();
        if (next.done) return;
        yield next.value;
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#failure(error);
    } finally {
      silence.end();
      response.on("error", () => {}).destroy();
    }
  }

  #failure(cause: unknown): PassingFailure {
    return new PassingFailure(`${this.base.host}: ${this.#withoutKey(messageOf(cause))}`);
  }

  async #statusFailure(answer: EngineAnswer, path: string): Promise<Error> {
    const { status } = answer;
    if (status >= 300 && status < 400) {
      answer.cancel();
      return this.error(
        "CHORALE_ENGINE_PROTOCOL",
        `answers ${path} with a redirect (${status}); accepted: an address that answers itself`,
      );
    }
    const text = await readText(answer, MAX_ERROR_BYTES).catch(() => "");
    const said = `answers ${path} with ${status}${errorText(text ?? "")}`;
    if (status === 408 || status === 429 || status >= 500) {
      const problem = this.#withoutKey(`${this.base.host} ${said}`);
      return new PassingFailure(problem, retryAfter(answer));
    }
    if (status === 401 || status === 403) return this.error("CHORALE_ENGINE_DENIED", said);
    return this.error("CHORALE_ENGINE_REFUSED", said);
  }

  #withoutKey(text: string): string {
    const key = this.#apiKey;
    return key === undefined || key === "" ? text : text.replaceAll(key, "(key)");
  }
}

/** Whether a server is silent for too long, as long as it is waited for. */
class Silence {
  readonly #ms: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  begin(fail: (error: Error) => void): void {
    this.#timer = setTimeout(() => {
      fail(new Error(`silent for ${this.#ms / 1000} s`));
    }, this.#ms);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** @returns null for a body that is too long */
async function readText(answer: EngineAnswer, mostBytes: number): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.chunks()) {
    length += chunk.byteLength;
    if (length > mostBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What a body says, in the spellings of the servers: `{error: {message}}`, `{error}`, `{message}`, `{detail}`. */
export function errorText(text: string): string {
  let message: unknown = text;
  try {
    const { error, message: own, detail } = JSON.parse(text);
    message = error?.message ?? error ?? own ?? detail ?? text;
  } catch {
    // What is no JSON is told as it is.
  }
  const said = (typeof message === "string" ? message : JSON.stringify(message))
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, MAX_ERROR_CHARACTERS)
    .replace(/\.$/, "");
  return said === "" ? "" : `: ${said}`;
}

function retryAfter(answer: EngineAnswer): number | undefined {
  const text = answer.header("retry-after");
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined;
}

function messageOf(error: unknown): string {
  // Connecting to several addresses of a name fails with one error for all of them, which has no message.
  if (error instanceof AggregateError && error.message === "") return messageOf(error.errors[0]);
  return (error instanceof Error ? error.message : String(error)).slice(0, MAX_ERROR_CHARACTERS);
}
