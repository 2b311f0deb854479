/**
 * Which URLs the web client asks: schemes, ports, domains, and hosts of the own network that the user named.
 * It judges the URL; what the name stands for is judged where the socket is opened (`guarded-dispatcher.ts`).
 */
import { isMetadataAddress } from "../address.ts";
import { DomainRefusedError, UrlRefusedError } from "../errors.ts";
import {
  type HostPattern,
  HostPatternError,
  isHostGranted,
  isNameCovered,
  parseHostPattern,
} from "../hosts.ts";

export type WebPolicyOptions = {
  /**
   * Only these domains with all below them: `example.com`, `*.example.com` (only what is below),
   * `example.com:8443` (that port only). Default: every domain.
   */
  readonly allowDomains?: readonly string[] | undefined;
  /** Never these, also where they are allowed; written in the same way. */
  readonly blockDomains?: readonly string[] | undefined;
  /**
   * Hosts that may be in a private network or on this machine: `localhost:8888`, `10.0.0.5`,
   * `*.corp.example`. Without a port, 80 and 443 are meant. They are allowed without `allowDomains`.
   */
  readonly allowPrivateHosts?: readonly string[] | undefined;
};

export type WebPolicy = {
  /**
   * @param from  the URL that redirects there
   * @throws UrlRefusedError, DomainRefusedError
   */
  permit(url: URL, from?: URL): void;
  /** Whether the user said that this host may be a private one. */
  isPrivateHost(url: URL): boolean;
  /** Whether an address that is not public may be connected to for this origin. */
  allowAddress(address: string, origin: URL): boolean;
};

const LONGEST_URL = 8192;
/**
 * Ports of 1024 and above that the Fetch standard blocks ("bad port"), since what listens there takes an HTTP
 * request for commands of its own protocol. Below 1024, only the schemes' own ports are asked.
 */
const BLOCKED_PORTS: ReadonlySet<number> = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669,
  6679, 6697, 10080,
]);
const FIRST_FREE_PORT = 1024;

/** @throws HostPatternError for a domain or host that is none */
export function createWebPolicy(options: WebPolicyOptions): WebPolicy {
  const allowed = options.allowDomains?.map(parseDomain);
  const blocked = options.blockDomains?.map(parseDomain) ?? [];
  const privateHosts = options.allowPrivateHosts?.map(parsePrivateHost) ?? [];
  const isPrivateHost = (url: URL): boolean => isHostGranted(url, privateHosts);

  return {
    isPrivateHost,
    permit(url, from) {
      checkShape(url, from);
      const block = blocked.find((domain) => isWithin(url, domain));
      if (block !== undefined) throw new DomainRefusedError(url.host, `${block.text} is blocked`);
      if (isPrivateHost(url)) return;
      const within = allowed?.find((domain) => isWithin(url, domain));
      if (allowed !== undefined && within === undefined) {
        const list = allowed.map(({ text }) => text).join(", ") || "no domain";
        throw new DomainRefusedError(url.host, `allowed: ${list}`);
      }
      if (within?.port === undefined || within.port === null) checkPort(url);
    },
    allowAddress(address, origin) {
      if (!isPrivateHost(origin)) return false;
      if (!isMetadataAddress(address)) return true;
      // A name that was allowed may be made to stand for a cloud's metadata service: that has to be named.
      const literal = origin.hostname.replace(/^\[(.*)\]$/, "$1");
      return privateHosts.some(({ name }) => name === origin.hostname) && literal === address;
    },
  };
}

/** A domain with all below it, unless only what is below is meant. */
function parseDomain(text: string): HostPattern {
  return parseHostPattern(text.replace(/^\./, ""));
}

function parsePrivateHost(text: string): HostPattern {
  const pattern = parseHostPattern(text);
  if (pattern.kind !== "any") return pattern;
  // Everything private at once would be no guard at all.
  const accepted = "a name (wiki.corp), an address, *.name for all below it, each with :port";
  throw new HostPatternError(text, `${accepted} where it is not 80 or 443`);
}

function isWithin(url: URL, domain: HostPattern): boolean {
  if (domain.port !== null && portOf(url) !== domain.port) return false;
  if (isNameCovered(url.hostname, domain)) return true;
  return domain.kind === "exact" && isNameCovered(url.hostname, { ...domain, kind: "subdomains" });
}

function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}

function checkShape(url: URL, from: URL | undefined): void {
  if (url.href.length > LONGEST_URL) {
    throw new UrlRefusedError(url.href, `a URL has at most ${LONGEST_URL} characters.`);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    const where = from === undefined ? "" : ", to which it redirects";
    throw new UrlRefusedError(
      from?.href ?? url.href,
      `${url.protocol}//${where} is not supported; accepted: http:// or https://.`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new UrlRefusedError(
      `${url.protocol}//…@${url.host}`,
      "it holds a user name or password; accepted: a URL without.",
    );
  }
  const name = url.hostname.replace(/\.$/, "");
  if (name.startsWith(".") || name.endsWith(".") || name.includes("..")) {
    throw new UrlRefusedError(url.href, "its host has an empty label.");
  }
}

function checkPort(url: URL): void {
  if (url.port === "") return;
  const port = Number(url.port);
  const isStandard = port === 80 || port === 443;
  if (isStandard || (port >= FIRST_FREE_PORT && !BLOCKED_PORTS.has(port))) return;
  throw new UrlRefusedError(
    url.href,
    `port ${port} is not one of the web; accepted: 80, 443 and most from ${FIRST_FREE_PORT} on, and any that is named with its host.`,
  );
}
