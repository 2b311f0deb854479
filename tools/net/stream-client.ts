/**
 * Answers as streams, for large files that are fetched in many requests over the same connections. Where it connects
 * is guarded; redirects are the caller's to follow, and what comes is the caller's to check.
 */
import { asNetError } from "./errors.ts";
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
  /** Throws NetError when it breaks off. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives up on the body; the connection is closed. */
  cancel(): void;
};

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
        body: told(body, url),
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

async function* told(body: AsyncIterable<Uint8Array>, url: URL): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw asNetError(error, url.host);
  }
}
