/**
 * Answers as streams, for large files that are fetched in many requests over the same connections. Where it connects
 * is guarded; redirects are the caller's to follow, and what comes is the caller's to check.
 */
import type { Readable } from "node:stream";

import { asNetError, UnreachableError } from "./errors.ts";
import type { GuardedClient } from "./guarded-dispatcher.ts";

export type StreamRequest = {
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
};

export type StreamResponse = {
  readonly status: number;
  /** @param name in lower case */
  header(name: string): string | null;
  /**
   * Gives the body to `sink` as it comes, at most once. Pushed and not pulled: a large file has tens of thousands of
   * chunks, and a promise for each would take as long as the chunks.
   *
   * @param sink returns a promise to be waited for before the next chunk; false: enough, the connection is closed
   * @throws NetError when it breaks off; what `sink` throws
   */
  read(sink: ChunkSink): Promise<void>;
  /** Gives up on the body; the connection is closed. */
  cancel(): void;
};

export type ChunkSink = (chunk: Uint8Array) => Promise<boolean> | boolean;

export type StreamClientOptions = {
  /** Hosts, with their ports, that may be in a private network or on this machine, since the user named them. */
  readonly trustedHosts: readonly string[];
};

const CONNECT_MS = 20_000;
/** Without a byte for this long, the server is not coming back. */
const SILENCE_MS = 30_000;

export class StreamClient implements AsyncDisposable {
  readonly #trusted: ReadonlySet<string>;
  #client: Promise<GuardedClient> | undefined;

  constructor({ trustedHosts }: StreamClientOptions) {
    this.#trusted = new Set(trustedHosts);
  }

  /** One GET request. @throws NetError when there is no answer */
  async get({ url, headers, signal }: StreamRequest): Promise<StreamResponse> {
    this.#client ??= this.#open();
    const client = await this.#client;
    try {
      const answer = await client.request(url, { method: "GET", headers, signal });
      const { statusCode, headers: received, body } = answer;
      return {
        status: statusCode,
        header: (name) => [received[name] ?? []].flat()[0] ?? null,
        read: (sink) => pour(body, sink, url),
        // Its error would have no reader.
        cancel: () => void body.on("error", () => {}).destroy(),
      };
    } catch (error) {
      throw asNetError(error, url.host);
    }
  }

  async #open(): Promise<GuardedClient> {
    // Loaded where it is used: importing the tools loads no package.
    const { openGuardedClient } = await import("./guarded-dispatcher.ts");
    return openGuardedClient({
      allowAddress: (_, { host }) => this.#trusted.has(host),
      connectMs: CONNECT_MS,
      silenceMs: SILENCE_MS,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#client)?.close();
  }
}

/** Settles when no chunk is with the sink any more. */
function pour(body: Readable, sink: ChunkSink, { host }: URL): Promise<void> {
  // Of the chunk that the sink has.
  let taking: Promise<unknown> = Promise.resolve();
  const poured = new Promise<void>((done, failed) => {
    // What has happened already is not told again.
    if (body.destroyed) {
      failed(asNetError(body.errored ?? new Error("the answer was cut off"), host));
      return;
    }
    const stop = (): void => {
      done();
      body.destroy();
    };
    const fail = (error: unknown): void => {
      failed(error);
      body.destroy();
    };
    body.on("error", (error) => failed(asNetError(error, host)));
    body.on("end", done);
    // Of no effect behind one of the others.
    body.on("close", () => failed(new UnreachableError(host, "the answer was cut off")));
    body.on("data", (chunk: Uint8Array) => {
      let wanted: Promise<boolean> | boolean;
      try {
        wanted = sink(chunk);
      } catch (error) {
        fail(error);
        return;
      }
      if (wanted === true) return;
      if (wanted === false) {
        stop();
        return;
      }
      body.pause();
      taking = wanted.then((isWanted) => (isWanted ? body.resume() : stop()), fail);
    });
  });
  return poured.finally(() => taking);
}
