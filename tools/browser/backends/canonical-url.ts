/** When two addresses mean the same page. */

/** Parameters that say where a reader came from, and change nothing of the page. */
const TRACKING =
  /^(?:utm_.+|gclid|gclsrc|dclid|fbclid|msclkid|yclid|twclid|igshid|mc_cid|mc_eid|_ga|_gl|_hsenc|_hsmi|mkt_tok|ref_src|ref_url|spm|vero_id|wickedid|srsltid|wprov)$/i;

/** Hosts that serve the same pages for small screens: `m.`, `mobile.`, and `en.m.wikipedia.org`. */
const MOBILE_HOST = /^(?:m|mobile)\.(?=[^.]+\.[^.]+)|(?<=^[a-z-]{2,12}\.)m\.(?=wiki)/;
const DIRECTORY_INDEX = /\/(?:index|default)\.(?:html?|php|aspx?|jsp)$/i;
/** A fragment that a script of the page takes for a path. */
const ROUTE = /^#!?\//;

/**
 * A form in which addresses of the same page are equal: without scheme, `www.`, a mobile host, parameters that
 * only track, the order of the others, the name of a directory's index, a slash at the end, and the place within
 * the page. It is for comparing; what is opened is the address itself.
 */
export function canonicalUrl(address: string): string {
  const url = URL.parse(address);
  if (url === null) return address;
  if (url.protocol !== "http:" && url.protocol !== "https:") return url.href;
  const host = url.hostname
    .replace(/\.$/, "")
    .replace(/^www\./, "")
    .replace(MOBILE_HOST, "");
  const port = url.port === "" ? "" : `:${url.port}`;
  const path = unescaped(url.pathname).replace(DIRECTORY_INDEX, "/").replace(/\/+$/, "");
  const parameters = [...url.searchParams].filter(([name]) => !TRACKING.test(name));
  parameters.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  const query = new URLSearchParams(parameters).toString();
  const route = ROUTE.test(url.hash) ? url.hash : "";
  return `${host}${port}${path}${query === "" ? "" : `?${query}`}${route}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Characters that need no escape are written without one (RFC 3986, 6.2.2.2). */
function unescaped(path: string): string {
  return path.replace(/%[0-9a-f]{2}/gi, (found) => {
    const character = String.fromCharCode(Number.parseInt(found.slice(1), 16));
    return /[\w.~-]/.test(character) ? character : found.toUpperCase();
  });
}
