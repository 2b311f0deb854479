/**
 * Which proxy the environment names for an origin, by the variables that curl, Go and most programs read:
 * `http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`, and the same in capitals.
 */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

import { ProxyError } from "./errors.ts";

export type HttpProxy = {
  /** `http:` or `https:`, without name and password. */
  readonly url: URL;
  /** The header `Proxy-Authorization`; null where the variable names no user. */
  readonly authorization: string | null;
};

/**
 * @returns null where the origin is connected to directly
 * @throws ProxyError for a variable that names no proxy that can be used
 */
export type ProxyRules = (origin: URL) => HttpProxy | null;

type Exception =
  | { readonly kind: "everything" }
  | { readonly kind: "name"; readonly name: string; readonly port: string }
  | { readonly kind: "network"; readonly network: [ipaddr.IPv4 | ipaddr.IPv6, number] };

export function proxyRules(env: NodeJS.ProcessEnv): ProxyRules {
  const exceptions = parseExceptions(read(env, "no_proxy"));
  return (origin) => {
    const [name, text] = variableFor(origin, env);
    if (text === "" || isExcepted(origin, exceptions)) return null;
    return parseProxy(text, name);
  };
}

/** @returns the variable's name and value; an empty value where none is set */
function variableFor(origin: URL, env: NodeJS.ProcessEnv): readonly [string, string] {
  const name = origin.protocol === "https:" ? "https_proxy" : "http_proxy";
  // In a CGI program a request's header `Proxy` becomes HTTP_PROXY, so anyone could set it.
  const isForged = name === "http_proxy" && env["REQUEST_METHOD"] !== undefined;
  const own = isForged ? (env[name] ?? "") : read(env, name);
  return own === "" ? ["all_proxy", read(env, "all_proxy")] : [name, own];
}

function read(env: NodeJS.ProcessEnv, name: string): string {
  return (env[name] || env[name.toUpperCase()] || "").trim();
}

function parseProxy(text: string, variable: string): HttpProxy {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || url.hostname === "") {
    throw new ProxyError(`The variable ${variable} names no proxy; accepted: http://HOST:PORT`);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new ProxyError(
      `The variable ${variable} names a proxy of the kind ${url.protocol}//; accepted: http:// or https://`,
    );
  }
  const user = decoded(url.username);
  const isNamed = user !== "" || url.password !== "";
  const credentials = Buffer.from(`${user}:${decoded(url.password)}`).toString("base64");
  url.username = "";
  url.password = "";
  return { url, authorization: isNamed ? `Basic ${credentials}` : null };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function parseExceptions(text: string): readonly Exception[] {
  return text
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .map(parseException);
}

function parseException(entry: string): Exception {
  if (entry === "*") return { kind: "everything" };
  if (ipaddr.isValidCIDR(entry)) return { kind: "network", network: ipaddr.parseCIDR(entry) };
  // Several colons without brackets are an address of IPv6.
  const isBare = isIP(entry) !== 0;
  const [, host = entry, port = ""] = isBare ? [] : (/^(.*?)(?::(\d+))?$/.exec(entry) ?? []);
  const name = host.replace(/^\*?\./, "").replace(/^\[(.*)\]$/, "$1");
  // In the spelling that a URL has.
  const asUrl = URL.parse(`http://${isIP(name) === 6 ? `[${name}]` : name}/`);
  return { kind: "name", name: plainName(asUrl?.hostname ?? name.toLowerCase()), port };
}

function isExcepted(origin: URL, exceptions: readonly Exception[]): boolean {
  const name = plainName(origin.hostname);
  const port = origin.port || (origin.protocol === "https:" ? "443" : "80");
  const address = ipaddr.isValid(name) ? ipaddr.parse(name) : null;
  // A proxy would take it for itself.
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  if (address?.range() === "loopback") return true;
  return exceptions.some((exception) => {
    if (exception.kind === "everything") return true;
    if (exception.kind === "network") {
      const [network, bits] = exception.network;
      return address?.kind() === network.kind() && address.match(network, bits);
    }
    if (exception.port !== "" && exception.port !== port) return false;
    return name === exception.name || (address === null && name.endsWith(`.${exception.name}`));
  });
}

function plainName(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}
