/**
 * The only way out to the network for tools and plugins, safe against server-side request forgery (SSRF):
 * a fetch and a download that look where they connect.
 */

export {
  type Download,
  type DownloadRequest,
  download,
  HttpStatusError,
  isBeyondEnd,
} from "./download.ts";
export {
  AddressRefusedError,
  BodyTooLargeError,
  HostNotGrantedError,
  NetAbortedError,
  NetError,
  NetTimeoutError,
  RequestRefusedError,
  TooManyRedirectsError,
  UnreachableError,
  UrlRefusedError,
} from "./errors.ts";
export type { Resolver } from "./guarded-dispatcher.ts";
export {
  createGuardedFetch,
  type GuardedFetch,
  type GuardedFetchOptions,
  type GuardedRequest,
  type GuardedResponse,
  NET_LIMITS,
  type NetLimits,
} from "./guarded-fetch.ts";
export {
  type HostPattern,
  HostPatternError,
  isHostGranted,
  narrowerHost,
  parseHostPattern,
} from "./hosts.ts";
