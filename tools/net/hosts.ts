/**
 * Hosts as people write them in grants and manifests: `api.example.com`, `*.example.com` (everything
 * below, not the name itself), `example.com:8443`, `*` (any). Without a port, 80 and 443 are meant.
 */
import { ToolsError } from "../core/errors.ts";

export type HostPattern = {
  /** As it is written in messages; two patterns are equal when this is. */
  readonly text: string;
  readonly kind: "any" | "subdomains" | "exact";
  /** Lower case, in ASCII, without a final dot; empty for `any`. */
  readonly name: string;
  readonly port: number | null;
};

const ACCEPTED =
  "a name (api.example.com), *.name for all below it, * for any, each with :port where it is not 80 or 443";

export class HostPatternError extends ToolsError {
  readonly pattern: string;

  constructor(pattern: string, accepted: string = ACCEPTED) {
    super("CHORALE_NET_PATTERN", `${JSON.stringify(pattern)} is no host; accepted: ${accepted}.`);
    this.pattern = pattern;
  }
}

const STANDARD_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };
const LONGEST_PATTERN = 300;

/** @throws HostPatternError */
export function parseHostPattern(pattern: string): HostPattern {
  if (pattern.length > LONGEST_PATTERN || /[\s/\\@?#]/.test(pattern) || pattern === "") {
    throw new HostPatternError(pattern);
  }
  const [, star, rest = ""] = /^(\*\.?)?(.*)$/.exec(pattern) ?? [];
  if (star === "*") {
    if (rest !== "" && !/^:\d+$/.test(rest)) throw new HostPatternError(pattern);
    return finished("any", "", rest === "" ? null : portOf(rest.slice(1), pattern));
  }
  // A port that is the scheme's own is dropped by the parser, so it is read by hand.
  const [, , portText] = /^(.*?):(\d+)$/.exec(rest.replace(/^\[.*\]/, "h")) ?? [];
  let name: string;
  try {
    name = plainHost(new URL(`http://${rest}`).hostname);
  } catch {
    throw new HostPatternError(pattern);
  }
  if (name === "" || name.includes("*")) throw new HostPatternError(pattern);
  const port = portText === undefined ? null : portOf(portText, pattern);
  return finished(star === "*." ? "subdomains" : "exact", name, port);
}

function finished(kind: HostPattern["kind"], name: string, port: number | null): HostPattern {
  const host = { any: "*", subdomains: `*.${name}`, exact: name }[kind];
  return { text: port === null ? host : `${host}:${port}`, kind, name, port };
}

function portOf(text: string, pattern: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new HostPatternError(pattern);
  return port;
}

/** A hostname without the dot that makes it absolute. */
function plainHost(hostname: string): string {
  return hostname.endsWith(".") ? hostname.slice(0, -1) : hostname;
}

/** Whether a URL (http or https) is within one of the patterns. */
export function isHostGranted(url: URL, patterns: readonly HostPattern[]): boolean {
  return patterns.some((pattern) => {
    const port = url.port === "" ? (STANDARD_PORTS[url.protocol] ?? null) : Number(url.port);
    if (pattern.port === null ? !isStandard(port) : port !== pattern.port) return false;
    return covers(pattern, { kind: "exact", name: plainHost(url.hostname) });
  });
}

/** Whether a pattern covers a hostname, with any port. */
export function isNameCovered(hostname: string, pattern: HostPattern): boolean {
  return covers(pattern, { kind: "exact", name: plainHost(hostname) });
}

/** What both patterns allow: the narrower of the two, or null. */
export function narrowerHost(a: HostPattern, b: HostPattern): HostPattern | null {
  // A pattern that names one of the standard ports is narrower than one that means both.
  const ports =
    a.port === b.port
      ? a.port
      : a.port === null && isStandard(b.port)
        ? b.port
        : b.port === null && isStandard(a.port)
          ? a.port
          : undefined;
  if (ports === undefined) return null;
  if (covers(a, b)) return finished(b.kind, b.name, ports);
  if (covers(b, a)) return finished(a.kind, a.name, ports);
  return null;
}

function isStandard(port: number | null): boolean {
  return port !== null && Object.values(STANDARD_PORTS).includes(port);
}

function covers(wide: Pick<HostPattern, "kind" | "name">, narrow: typeof wide): boolean {
  switch (wide.kind) {
    case "any":
      return true;
    case "exact":
      return narrow.kind === "exact" && narrow.name === wide.name;
    case "subdomains":
      if (narrow.kind === "any") return false;
      if (narrow.kind === "subdomains" && narrow.name === wide.name) return true;
      return narrow.name.endsWith(`.${wide.name}`);
  }
}
