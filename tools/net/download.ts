/**
 * A large file in a stream, from where an earlier try ended. The guarded fetch is for code that is not
 * trusted and holds whole answers; this is for the program's own downloads, whose content is checked by
 * hash, so that only where it connects is guarded.
 */
import { asNetError, NetAbortedError, NetError, UrlRefusedError } from "./errors.ts";
import { followRedirects } from "./follow-redirects.ts";

export type DownloadRequest = {
  readonly url: string;
  /** Bytes that are there already. */
  readonly offset: number;
  readonly signal: AbortSignal;
  /**
   * The host of `url` may be in a private network or on this machine, since the user named it. Where it
   * redirects to, only public addresses are connected to.
   */
  readonly trustsHost: boolean;
};

export type Download = {
  /** Where `body` begins: `offset`, or 0 from a server that does not know parts. */
  readonly start: number;
  /** Of the whole file, where the server says it. */
  readonly totalBytes: number | null;
  /** Throws NetError when it breaks off. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Closes the connection. */
  close(): Promise<void>;
};

/** What the server answered instead of the file. */
export class HttpStatusError extends NetError {
  readonly status: number;

  constructor(url: string, status: number) {
    super("CHORALE_NET_STATUS", `${JSON.stringify(url).slice(1, -1)} answered ${status}.`);
    this.status = status;
  }
}

const CONNECT_MS = 20_000;
/** Without a byte for this long, the server is not coming back. */
const SILENCE_MS = 30_000;
const MOST_REDIRECTS = 5;
const OK = 200;
const PARTIAL = 206;
const RANGE_NOT_SATISFIABLE = 416;

/** @throws NetError: HttpStatusError for an answer that is no file; others for none at all */
export async function download(request: DownloadRequest): Promise<Download> {
  const { offset, signal } = request;
  const first = checkedUrl(request.url);
  // Loaded where it is used: importing the tools loads no package.
  const { openGuardedClient } = await import("./guarded-dispatcher.ts");
  const client = openGuardedClient({
    allowAddress: (_, { host }) => request.trustsHost && host === first.host,
    connectMs: CONNECT_MS,
    silenceMs: SILENCE_MS,
  });
  const headers = {
    "user-agent": "chorale",
    // Parts of a compressed stream could not be put together; a range says that by itself.
    ...(offset > 0 ? { range: `bytes=${offset}-` } : { "accept-encoding": "identity" }),
  };
  let url = first;
  try {
    const followed = await followRedirects(
      first,
      { method: "GET", headers },
      {
        limit: MOST_REDIRECTS,
        permit: checkRedirect,
        send: (to, { headers }) => {
          url = to;
          return client.fetch(to, { headers, signal });
        },
      },
    );
    const { response } = followed;
    const start = startOf(response.status, response.headers.get("content-range"), offset);
    if (start === null || response.body === null) {
      throw new HttpStatusError(url.href, response.status);
    }
    const length = response.headers.get("content-length");
    const totalBytes = /^\d{1,15}$/.test(length ?? "") ? start + Number(length) : null;
    return { start, totalBytes, body: told(response.body, url, signal), close: client.close };
  } catch (error) {
    await client.close();
    throw failure(error, url, signal);
  }
}

async function* told(
  body: AsyncIterable<Uint8Array>,
  url: URL,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw failure(error, url, signal);
  }
}

/** @returns null when the answer is not the file, or another part of it than was asked for */
function startOf(status: number, range: string | null, offset: number): number | null {
  if (status === OK) return 0;
  if (status === PARTIAL && offset > 0) {
    return Number(/^bytes (\d+)-/.exec(range ?? "")?.[1]) === offset ? offset : null;
  }
  return null;
}

/** The server has no byte at the offset: what is there is all of the file, or of another. */
export function isBeyondEnd(error: unknown): boolean {
  return error instanceof HttpStatusError && error.status === RANGE_NOT_SATISFIABLE;
}

function checkedUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !isWeb(url)) {
    throw new UrlRefusedError(text, "accepted: a URL with http:// or https://.");
  }
  return url;
}

function checkRedirect(to: URL, from: URL): void {
  const isDowngrade = to.protocol === "http:" && from.protocol === "https:";
  if (isDowngrade || !isWeb(to)) {
    throw new UrlRefusedError(from.href, "it redirects to where no file would be fetched from.");
  }
}

function isWeb({ protocol }: URL): boolean {
  return protocol === "http:" || protocol === "https:";
}

function failure(error: unknown, url: URL, signal: AbortSignal): NetError {
  if (signal.aborted) return new NetAbortedError(url.href, { cause: error });
  return asNetError(error, url.host);
}
