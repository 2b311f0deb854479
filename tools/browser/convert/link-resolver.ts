/** Where references of a document lead. */
import { cleanAddress, decodeEscapes, isWeb } from "../text/address.ts";

/**
 * Null: nowhere that could be opened (a place on the same page, a program, mail), show the plain text.
 * `domain` is shown when the link leaves the site.
 */
export type LinkResolver = (
  href: string,
) => { readonly url: string; readonly domain: string | null } | null;

/** A made-up origin lets the URL parser resolve paths in a folder; those above it end at its root. */
const FOLDER = "folder.invalid";
const MAX_HREF_CHARACTERS = 4096;

/**
 * @param url  address of the document: on the web, or its path in a folder, with forward slashes
 * @param base  what the document says that its references are relative to
 */
export function createLinkResolver(url: string, base?: string): LinkResolver {
  const own = URL.parse(
    isWeb(url) ? url : `http://${FOLDER}/${url.split("/").map(encodeURIComponent).join("/")}`,
  );
  const from = (base && URL.parse(base, own?.href)) || own;
  const resolve: LinkResolver = (href) => {
    const reference = href.trim();
    if (reference === "" || reference.startsWith("#") || reference.length > MAX_HREF_CHARACTERS)
      return null;
    const target = URL.parse(reference, from?.href);
    if (target === null || !/^https?:$/.test(target.protocol)) return null;
    const here =
      target.host === own?.host && target.pathname === own.pathname && target.search === own.search;
    if (here && (target.hash !== "" || target.host === FOLDER)) return null;
    if (target.host !== FOLDER) {
      return { url: target.href, domain: target.host === own?.host ? null : target.host };
    }
    const escaped = target.pathname.slice(1);
    const path = escaped.includes("%") ? escaped.split("/").map(decodeEscapes).join("/") : escaped;
    return { url: cleanAddress(`${path}${decodeEscapes(target.hash)}`), domain: null };
  };
  const known = new Map<string, ReturnType<LinkResolver>>();
  return (href) => {
    const before = known.get(href);
    if (before !== undefined) return before;
    const target = resolve(href);
    if (known.size < MAX_KNOWN) known.set(href, target);
    return target;
  };
}

/** References that are remembered: pages link to the same places again and again. */
const MAX_KNOWN = 2000;
