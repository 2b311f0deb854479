/** Who may speak to the server: the host that a request names, the page it comes from, the key it has. */
import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { ServerError } from "../errors.ts";
import { isOverUnixSocket, type ServerEnv } from "./connection.ts";
import type { Context, MiddlewareHandler } from "./hono.ts";

/**
 * Refuses requests whose Host names another machine: a page that has its own name resolved to this one (DNS
 * rebinding) could read the answers.
 *
 * @param hasKeys such a page does not know the key: the server may be reached by any name, as behind a proxy
 */
export function hostGuard(hasKeys: boolean): MiddlewareHandler<ServerEnv> {
  return async (c, next) => {
    const host = c.req.header("host") ?? "";
    if (!hasKeys && !isOverUnixSocket(c) && !isOwnHost(host)) {
      throw new ServerError(
        "CHORALE_FORBIDDEN",
        `The host ${host.slice(0, 100)} is not this machine; accepted: localhost, its name, and addresses of private networks.`,
        { status: 403 },
      );
    }
    await next();
  };
}

const OWN_SUFFIXES: readonly string[] = [".localhost", ".local", ".internal"];

/** @param host with or without a port */
function isOwnHost(host: string): boolean {
  const name = hostName(host);
  if (name === "" || name === "localhost" || name === hostname().toLowerCase()) return true;
  if (OWN_SUFFIXES.some((suffix) => name.endsWith(suffix))) return true;
  return isIP(name) !== 0 && (isPrivateAddress(name) || isOwnAddress(name));
}

function hostName(host: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(host)?.[1];
  const name = bracketed ?? host.replace(/:\d*$/, "");
  return name.toLowerCase().replace(/\.$/, "");
}

/** Loopback, private, link-local and unspecified ones. */
function isPrivateAddress(address: string): boolean {
  const v4 = /^(?:::ffff:)?(\d+)\.(\d+)\.\d+\.\d+$/.exec(address);
  if (v4 !== null) {
    const [a, b] = [Number(v4[1]), Number(v4[2])];
    return (
      a === 127 ||
      a === 10 ||
      (a === 192 && b === 168) ||
      (a === 172 && b >= 16 && b < 32) ||
      (a === 169 && b === 254) ||
      address.endsWith("0.0.0.0")
    );
  }
  return address === "::1" || address === "::" || /^f[cd]|^fe[89ab]/.test(address);
}

function isOwnAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((list) =>
    list?.some((own) => own.address.toLowerCase() === address),
  );
}

const ALLOWED_HEADERS = [
  ...["Authorization", "Content-Type", "User-Agent", "Accept", "X-Requested-With", "OpenAI-Beta"],
  ...["x-api-key", "anthropic-version", "anthropic-beta", "session-id", "x-session-affinity"],
  ...["x-stainless-arch", "x-stainless-async", "x-stainless-custom-poll-interval"],
  ...["x-stainless-helper-method", "x-stainless-lang", "x-stainless-os"],
  ...["x-stainless-package-version", "x-stainless-poll-helper", "x-stainless-retry-count"],
  ...["x-stainless-runtime", "x-stainless-runtime-version", "x-stainless-timeout"],
].join(", ");

/** Pages of this machine, and those of programs with a window of their own. */
const OWN_ORIGIN = /^https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::\d+)?$/;
const APP_ORIGIN = /^(?:app|file|tauri|vscode-webview|vscode-file):\/\//;

/**
 * Refuses what pages of other places send, also simple requests, whose answers they could not read: they would
 * compute, or unload a model.
 *
 * @param allowed origins beside those of this machine; `*` allows all, and may stand inside of one
 */
export function originGuard(allowed: readonly string[]): MiddlewareHandler<ServerEnv> {
  const patterns = allowed.map(originPattern);
  return async (c, next) => {
    const origin = c.req.header("origin");
    if (origin === undefined) {
      // A browser that names no origin says whose page it is; a link to this server may be followed.
      const isForeign = c.req.header("sec-fetch-site") === "cross-site";
      const mayChange = c.req.method !== "GET" && c.req.method !== "HEAD";
      if (isForeign && mayChange && !patterns.some((pattern) => pattern.test("*"))) {
        throw foreignOrigin("another site");
      }
      return next();
    }
    const isAllowed =
      isSameOrigin(origin, c.req.header("host")) ||
      OWN_ORIGIN.test(origin) ||
      APP_ORIGIN.test(origin) ||
      patterns.some((pattern) => pattern.test(origin));
    if (!isAllowed) throw foreignOrigin(origin);
    if (c.req.method === "OPTIONS") {
      return new Response(null, {
        status: 204,
        headers: {
          "access-control-allow-origin": origin,
          "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS",
          "access-control-allow-headers": ALLOWED_HEADERS,
          "access-control-max-age": "43200",
          // Browsers ask whether a page may speak to a machine of the private network.
          ...(c.req.header("access-control-request-private-network") === "true" && {
            "access-control-allow-private-network": "true",
          }),
          vary: "Origin",
        },
      });
    }
    await next();
    c.header("access-control-allow-origin", origin);
    c.header("access-control-expose-headers", "x-request-id, retry-after");
    c.header("vary", "Origin");
  };
}

/**
 * Whether a page is of this very server. What `hostGuard` let in names this machine, or comes with keys.
 * @param host of the request
 */
export function isSameOrigin(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

function originPattern(allowed: string): RegExp {
  const parts = allowed.split("*").map((part) => RegExp.escape(part));
  return new RegExp(`^${parts.join("[^/]*")}$`.replace("^[^/]*$", "^.*$"), "i");
}

function foreignOrigin(origin: string): ServerError {
  return new ServerError(
    "CHORALE_FORBIDDEN",
    `Pages of ${origin.slice(0, 100)} may not use this server; CHORALE_ORIGINS or --origins names those that may.`,
    { status: 403 },
  );
}

/** Paths that need no key: they say nothing but that there is a server, and are the page without any data. */
function isOpenPath(path: string): boolean {
  return path === "/" || path === "/health" || /^\/page\/(?!api\/)/.test(path);
}

/** @param keys none: any key is accepted, also an empty one */
export function keyGuard(keys: readonly string[]): MiddlewareHandler<ServerEnv> {
  const known = keys.map(digest);
  return async (c, next) => {
    if (known.length === 0 || isOverUnixSocket(c) || isOpenPath(c.req.path)) return next();
    const given = keyOf(c);
    const found = digest(given);
    // Every key is compared, so that the time says nothing.
    const isKnown = known.map((key) => timingSafeEqual(key, found)).includes(true);
    if (!isKnown) {
      const what = given === "" ? "There is no key" : "The key is wrong";
      throw new ServerError(
        "CHORALE_UNAUTHORIZED",
        `${what}; send it as Authorization: Bearer KEY, or as x-api-key.`,
        { status: 401, wireCode: "invalid_api_key" },
      );
    }
    await next();
  };
}

/** What the request has for a key; "": none. */
function keyOf(c: Context<ServerEnv>): string {
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(c.req.header("authorization") ?? "")?.[1];
  return bearer ?? c.req.header("x-api-key") ?? "";
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
