/** When a stored response may be used again (RFC 9111); bundled into the package (`scripts/bundle.ts`). */

export { default as CachePolicy } from "http-cache-semantics";
