/**
 * Redirects, each judged like the first request. undici's own interceptor is not used: it sends requests to
 * a place whose URL holds a password without saying so, takes a redirect to the same URL for an error of the
 * program, and refuses the answer after the last redirect that is allowed.
 */
import { TooManyRedirectsError, UrlRefusedError } from "./errors.ts";

export type SentRequest = {
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
};

/** What has to be known of a response to follow it; a `Response` has it. */
export type Redirectable = {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: { cancel(): Promise<void> } | null;
};

export type RedirectPolicy<R extends Redirectable> = {
  readonly limit: number;
  /** @throws NetError for a place that may not be asked */
  permit(url: URL, from: URL): void;
  send(url: URL, request: SentRequest): Promise<R>;
};

export type Followed<R extends Redirectable> = {
  readonly response: R;
  readonly url: URL;
  readonly redirects: number;
};

export const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** What must not reach a host that it was not meant for. */
const CONFIDENTIAL: readonly string[] = ["authorization", "cookie"];
const ABOUT_BODY = /^content-/;

/**
 * Sends a request, and on where the answers say.
 *
 * @param first  is permitted
 * @throws TooManyRedirectsError, UrlRefusedError, and what the policy throws
 */
export async function followRedirects<R extends Redirectable>(
  first: URL,
  request: SentRequest,
  policy: RedirectPolicy<R>,
): Promise<Followed<R>> {
  let url = first;
  let sent = request;
  for (let redirects = 0; ; redirects++) {
    const response = await policy.send(url, sent);
    const location = response.headers.get("location");
    if (!REDIRECTS.has(response.status) || location === null) return { response, url, redirects };
    await response.body?.cancel();
    if (redirects === policy.limit) throw new TooManyRedirectsError(first.href, policy.limit);
    const next = URL.parse(location, url.href);
    if (next === null) throw new UrlRefusedError(url.href, "it redirects to what is no URL.");
    policy.permit(next, url);
    sent = redirected(sent, response.status, url.origin === next.origin);
    url = next;
  }
}

/** What is sent on, as browsers do it (Fetch standard, HTTP-redirect fetch). */
function redirected(sent: SentRequest, status: number, isSameOrigin: boolean): SentRequest {
  const isGet = sent.method === "GET" || sent.method === "HEAD";
  const becomesGet =
    (status === 303 && !isGet) || ((status === 301 || status === 302) && sent.method === "POST");
  const headers = Object.entries(sent.headers).filter(
    ([name]) =>
      (isSameOrigin || !CONFIDENTIAL.includes(name)) && !(becomesGet && ABOUT_BODY.test(name)),
  );
  return {
    method: becomesGet ? "GET" : sent.method,
    headers: Object.fromEntries(headers),
    body: becomesGet ? undefined : sent.body,
  };
}
