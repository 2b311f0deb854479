/**
 * The hosts that a call names. One address can be read in several ways (what stands before an `@`, a backslash,
 * an IPv4 address inside of an IPv6 one), and it is the tool that decides which one it goes to: a rule that
 * denies looks for any reading, a rule that allows wants all of them to be in its list.
 */
import ipaddr from "ipaddr.js";
import { type HostPattern, isHostGranted } from "../../tools/index.ts";
import { type FoundText, spellingsOf } from "./strings.ts";

export type Address = {
  /** What it may mean. */
  readonly readings: readonly URL[];
  /** Every reader finds the same host in it. */
  readonly isClear: boolean;
};

const HOST_KEY =
  /^(?:.*_)?(?:url|uri|href|link|host|hostname|domain|server|endpoint|origin|proxy|address|site|webhook|ip)s?$/i;
/** One letter is a drive of Windows. */
const SCHEME = /^[a-z][a-z0-9+.-]+:(?=[/\\])/i;
const WEB_SCHEME = /^(?:https?|wss?|ftp):/i;
/** Words that could be a name in the domain name system, with a port and a path. */
const DOMAIN = /^[\p{L}\p{N}_-]+(?:[.。．｡][\p{L}\p{N}_-]+)+[.。．｡]?(?::\d+)?(?:[/?#].*)?$/u;
const LONGEST_ADDRESS = 8_192;
/** What separates words in a command line. */
const BETWEEN_WORDS = /[\s"'`<>()[\]{}|;,=&$]+/u;

/**
 * @param isCareful names that may be hosts count as well (`evil.com` under any name): for rules that deny or ask
 */
export function addressesIn(texts: readonly FoundText[], isCareful: boolean): readonly Address[] {
  const addresses: Address[] = [];
  for (const { text, key, isCommand } of texts) {
    const isHost = key !== null && HOST_KEY.test(key);
    const whole = addressOf(text, isHost, isCareful);
    if (whole !== null) addresses.push(whole);
    const hasWords = isCommand || (isHost && isCareful);
    if (!hasWords) continue;
    for (const word of text.split(BETWEEN_WORDS)) {
      const address = word === text ? null : addressOf(word, false, true);
      if (address !== null) addresses.push(address);
    }
  }
  return addresses;
}

/** null: the text is no address. */
function addressOf(text: string, isHost: boolean, isCareful: boolean): Address | null {
  const trimmed = withoutBlanks(text);
  if (trimmed === "") return null;
  if (trimmed.length > LONGEST_ADDRESS) return isHost ? { readings: [], isClear: false } : null;
  // Not of a host: `file:///etc/hosts`.
  if (/^file:(?![/\\]{2}[^/\\])/i.test(trimmed)) return null;
  const isAddress =
    SCHEME.test(trimmed) ||
    WEB_SCHEME.test(trimmed) ||
    /^[/\\]{2}[^/\\]/.test(trimmed) ||
    isIpAddress(trimmed) ||
    /^localhost\.?(?::\d+)?$/i.test(trimmed) ||
    (isCareful && DOMAIN.test(trimmed));
  return isAddress || isHost ? readingsOf(trimmed) : null;
}

/** As WHATWG's URL parser does: blanks around it, line breaks and tabs inside of it. */
function withoutBlanks(text: string): string {
  return text.replace(/^[\0- ]+|[\0- ]+$|[\t\n\r]+/g, "");
}

function isIpAddress(text: string): boolean {
  return (
    ipaddr.IPv6.isValid(text) ||
    /^(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){3}(?::\d+)?$/i.test(text)
  );
}

function readingsOf(text: string): Address {
  const readings = new Map<string, URL>();
  let isClear = true;
  const add = (url: URL | null): void => {
    if (url === null || url.hostname === "") return;
    readings.set(`${url.protocol}${url.host}`, url);
    const plain = embeddedIPv4(url);
    if (plain !== null) readings.set(plain.host, plain);
  };
  for (const spelling of spellingsOf(text)) {
    const scheme = (SCHEME.exec(spelling) ?? WEB_SCHEME.exec(spelling))?.[0] ?? "";
    const rest = spelling.slice(scheme.length).replace(/^[/\\]+/, "");
    add(urlOf(scheme, rest));
    // Readers do not agree on where a host ends when one of these is in it.
    const [authority = ""] = rest.split(/[/?#]/, 1);
    if (!/[@\\%]/.test(authority) && !/^[^/]*[?#][^/]*@/.test(rest)) continue;
    isClear = false;
    for (const part of rest.split(/[/\\?#@]/)) add(urlOf(scheme, part));
  }
  return { readings: [...readings.values()], isClear: isClear && readings.size > 0 };
}

/** Of other schemes than the web's, no port is the usual one. */
function urlOf(scheme: string, rest: string): URL | null {
  const bare = ipaddr.IPv6.isValid(rest) ? `[${rest.replace(/%.*/, "")}]` : rest;
  if (bare === "") return null;
  try {
    // Every scheme is read as one of the web's: of others the host would be left as it was written.
    if (/^(?:https|wss):$/i.test(scheme)) return new URL(`https://${bare}`);
    const url = new URL(`http://${bare}`);
    if (scheme === "" || /^(?:http|ws):$/i.test(scheme)) return url;
    return new URL(`other://${url.host}`);
  } catch {
    return null;
  }
}

/** `[::ffff:127.0.0.1]` ends up at 127.0.0.1. */
function embeddedIPv4({ hostname, port }: URL): URL | null {
  if (!hostname.startsWith("[")) return null;
  try {
    const address = ipaddr.IPv6.parse(hostname.slice(1, -1));
    const [a, b, c, d, e, f, high = 0, low = 0] = address.parts;
    const isNat64 = a === 0x64 && b === 0xff9b;
    const isEmpty = a === 0 && b === 0 && c === 0 && d === 0 && e === 0;
    const isMapped = isEmpty && (f === 0xffff || (f === 0 && high !== 0));
    if (!isMapped && !isNat64) return null;
    const bytes = [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
    return new URL(`http://${bytes}${port === "" ? "" : `:${port}`}`);
  } catch {
    return null;
  }
}

/**
 * Whether an address is one that a pattern means.
 *
 * @param isCareful a pattern without a port means any port: for rules that deny or ask
 */
export function coversHost(pattern: HostPattern, url: URL, isCareful: boolean): boolean {
  if (!isCareful) return isHostGranted(url, [pattern]);
  const standard = { "http:": "80", "https:": "443" }[url.protocol];
  const port = url.port || standard;
  const isAnyPort = pattern.port === null || port === undefined;
  const wanted = isAnyPort ? (pattern.port ?? 80) : port;
  return isHostGranted(new URL(`http://${url.hostname}:${wanted}`), [pattern]);
}
