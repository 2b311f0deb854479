/**
 * Which addresses lie in the public internet: the ground of the guard against server-side request forgery
 * (SSRF). An address in another spelling (decimal, octal, hexadecimal, shortened, IPv4 inside of IPv6) is
 * judged by the address that it names.
 */
import { isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

/** Addresses of a name, in the order in which they are tried. */
export type Resolver = (hostname: string) => Promise<readonly string[]>;

/** `range` says in words what an address is that is not public. */
export type AddressClass =
  | { readonly isPublic: true }
  | { readonly isPublic: false; readonly range: string };

/**
 * Answers cloud machines' questions about themselves (Azure's wire server), though it looks public. Other
 * clouds' metadata addresses lie in link-local, unique-local, shared or reserved ranges.
 */
const METADATA: ReadonlySet<string> = new Set(["168.63.129.16"]);

/**
 * Where machines of clouds ask for their own credentials: link-local for most, and what some have besides
 * (Azure, Alibaba, Oracle, Amazon by IPv6).
 */
const METADATA_SERVICES: readonly (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[] = [
  "169.254.0.0/16",
  "168.63.129.16/32",
  "100.100.100.200/32",
  "192.0.0.192/32",
  "fd00:ec2::254/128",
].map((range) => ipaddr.parseCIDR(range));

/** The only part of IPv6 that is handed out for the public internet (RFC 4291, IANA): 2000::/3. */
const GLOBAL_UNICAST_PREFIX = 0x2000;
const GLOBAL_UNICAST_MASK = 0xe000;

const WORDS: Readonly<Record<string, string>> = {
  loopback: "loopback",
  private: "private",
  linkLocal: "link-local",
  uniqueLocal: "unique-local",
  carrierGradeNat: "shared by a provider's customers",
  multicast: "multicast",
  broadcast: "broadcast",
  unspecified: "unspecified",
  "6to4": "a 6to4 tunnel",
  teredo: "a Teredo tunnel",
  rfc6145: "an IPv4 translation",
  deprecatedSiteLocal: "site-local",
};

/**
 * Classifies one address. What cannot be read as an address is not public.
 *
 * @param text  as a resolver or a socket gives it; brackets, zones and old IPv4 spellings are understood
 */
export function classifyAddress(text: string): AddressClass {
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  // A zone names an interface of this machine.
  if (bare.includes("%")) return refused("bound to an interface of this machine");
  let address: ipaddr.IPv4 | ipaddr.IPv6;
  try {
    // `::1.2.3.4` is read in two ways; what connects reads it as the URL standard does.
    address = ipaddr.parse(isIPv6(bare) ? new URL(`http://[${bare}]`).hostname.slice(1, -1) : bare);
  } catch {
    return refused("no address");
  }
  return isIPv4(address) ? classifyIPv4(address) : classifyIPv6(address);
}

/**
 * Whether an address is one of those that give away a cloud machine's credentials.
 *
 * @param text  as a resolver or a socket gives it
 */
export function isMetadataAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const parsed = ipaddr.parse(text);
  const address = isIPv4(parsed) ? parsed : (embeddedIPv4(parsed) ?? parsed);
  return METADATA_SERVICES.some(
    ([range, bits]) => range.kind() === address.kind() && address.match(range, bits),
  );
}

function classifyIPv4(address: ipaddr.IPv4): AddressClass {
  if (METADATA.has(address.toString())) return refused("a cloud's metadata service");
  const range = address.range();
  return range === "unicast" ? { isPublic: true } : refused(WORDS[range] ?? "reserved");
}

function classifyIPv6(address: ipaddr.IPv6): AddressClass {
  const embedded = embeddedIPv4(address);
  if (embedded !== null) return classifyIPv4(embedded);
  const range: string = address.range();
  if (range !== "unicast") return refused(WORDS[range] ?? "reserved");
  const first = address.parts[0] ?? 0;
  // Everything else is unassigned, or IPv4-compatible (`::127.0.0.1`), which some systems still route.
  if ((first & GLOBAL_UNICAST_MASK) !== GLOBAL_UNICAST_PREFIX) return refused("reserved");
  // ISATAP: a private IPv4 network behind an interface identifier 0000:5efe or 0200:5efe (RFC 5214).
  const [identifier, type] = [address.parts[4] ?? 0, address.parts[5] ?? 0];
  if (type === 0x5efe && (identifier & ~0x0200) === 0) return refused("an ISATAP tunnel");
  return { isPublic: true };
}

/**
 * The IPv4 address that a packet to this IPv6 address ends up at: IPv4-mapped, and NAT64's well-known
 * prefix, which is how networks without IPv4 reach all of it. Tunnels and local NAT64 prefixes are
 * refused as a whole.
 */
function embeddedIPv4(address: ipaddr.IPv6): ipaddr.IPv4 | null {
  const [a, b, c, d, e, f, high = 0, low = 0] = address.parts;
  const isEmpty = c === 0 && d === 0 && e === 0;
  const isMapped = a === 0 && b === 0 && isEmpty && f === 0xffff;
  const isNat64 = a === 0x64 && b === 0xff9b && isEmpty && f === 0;
  if (!isMapped && !isNat64) return null;
  return new ipaddr.IPv4([high >> 8, high & 0xff, low >> 8, low & 0xff]);
}

function isIPv4(address: ipaddr.IPv4 | ipaddr.IPv6): address is ipaddr.IPv4 {
  return address.kind() === "ipv4";
}

function refused(range: string): AddressClass {
  return { isPublic: false, range };
}
