/** A page of the web, fetched and converted. */
import { messageOf } from "../../core/text.ts";
import { runInWorker, TaskEndedError } from "../../core/worker-pool.ts";
import type { FetchPurpose, WebClient } from "../../net/index.ts";
import type { PageContent } from "../page.ts";
import { isWeb } from "../text/address.ts";
import type { ConvertedPage, PageToConvert } from "./page-task.ts";

const TASK = new URL("./page-task.ts", import.meta.url);
const CONVERSION_MS = 15_000;
const FETCH_MS = 40_000;

/** What a status means that a page may have. */
const STATUS_WORDS: { readonly [status: number]: string } = {
  401: "it wants a password",
  403: "it refuses the request",
  404: "there is no such page",
  410: "the page is gone",
  429: "too many requests",
  451: "unavailable for legal reasons",
  503: "it is not available for now",
};

/** `example.com`, `www.example.com/a?b`: a host with a dot and a name of letters at its end. */
const BARE_HOST =
  /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+\p{L}{2,}(?::\d+)?(?:[/?#]|$)/u;

/** The address as a URL of the web; null where it is none. What begins with a host is one over HTTPS. */
export function webAddress(address: string): string | null {
  if (isWeb(address)) return URL.canParse(address) ? address : null;
  return BARE_HOST.test(address) && URL.canParse(`https://${address}`)
    ? `https://${address}`
    : null;
}

/**
 * @param url of the web; a fragment is not sent
 * @throws NetError, or an Error that says why there is no text; the signal's reason
 */
export async function openPage(
  client: WebClient,
  url: string,
  purpose: FetchPurpose,
  signal: AbortSignal,
): Promise<PageContent> {
  const response = await client.get(url, { signal, purpose, timeouts: { totalMs: FETCH_MS } });
  const { status, bytes, contentType } = response;
  if (status >= 400) {
    const words = STATUS_WORDS[status];
    throw new Error(`the server answered ${status}${words === undefined ? "" : ` (${words})`}.`);
  }
  if (bytes.length === 0) throw new Error("the server sent an empty page.");
  const converted = await convert({ url: response.url, bytes, contentType });
  signal.throwIfAborted();
  if ("page" in converted) return converted.page;
  throw new Error(`it cannot be read: ${converted.reason}.`);
}

async function convert(source: PageToConvert): Promise<ConvertedPage> {
  try {
    return await runInWorker<PageToConvert, ConvertedPage>(TASK, source, CONVERSION_MS);
  } catch (error) {
    const isOver = error instanceof TaskEndedError;
    throw new Error(`${isOver ? "its text was not extracted: " : ""}${messageOf(error)}`, {
      cause: error,
    });
  }
}
