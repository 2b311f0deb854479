/** Who may use the page's own API: the page of this very server, and programs. No other page, not even of this machine. */
import { ServerError } from "../errors.ts";
import type { ServerEnv } from "../http/connection.ts";
import { isSameOrigin } from "../http/guards.ts";
import type { Context } from "../http/hono.ts";

/** A browser sends a header of its own only after it has asked, and is refused then. */
const PAGE_HEADER = "x-chorale-page";

const CONTENT_POLICY: string =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** What every answer to the page says, files and data. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": CONTENT_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/**
 * Conversations are private: a request needs the page's header, which another page cannot send here, and an origin
 * that is this server's own.
 * @throws ServerError
 */
export function checkPageRequest(c: Context<ServerEnv>): void {
  const origin = c.req.header("origin");
  const site = c.req.header("sec-fetch-site");
  const isOwn = origin === undefined || isSameOrigin(origin, c.req.header("host"));
  const isSameSite = site === undefined || site === "same-origin" || site === "none";
  if (c.req.header(PAGE_HEADER) !== "1" || !isOwn || !isSameSite) {
    throw new ServerError(
      "CHORALE_FORBIDDEN",
      `This is for the page of this server alone; programs send ${PAGE_HEADER}: 1.`,
      { status: 403 },
    );
  }
  const type = c.req.header("content-type") ?? "";
  const hasBody = c.req.method === "POST" || c.req.method === "PUT";
  if (hasBody && !/^application\/json(?:\s*;|$)/i.test(type)) {
    throw new ServerError(
      "CHORALE_REQUEST",
      `The body is ${type.slice(0, 60) || "of no type"}; accepted: application/json.`,
      { status: 415 },
    );
  }
}
