/**
 * The only way out to the network for tools and plugins, safe against server-side request forgery (SSRF):
 * a fetch and a download that look where they connect.
 */

export type { Resolver } from "./address.ts";
export {
  type Download,
  download,
  HttpStatusError,
  isBeyondEnd,
} from "./download.ts";
export {
  AddressRefusedError,
  NetError,
  UrlRefusedError,
} from "./errors.ts";
export {
  createGuardedFetch,
  type GuardedFetch,
  type GuardedFetchOptions,
  type GuardedRequest,
  type GuardedResponse,
  type NetLimits,
} from "./guarded-fetch.ts";
export {
  type HostPattern,
  HostPatternError,
  isHostGranted,
  narrowerHost,
  parseHostPattern,
} from "./hosts.ts";
export {
  type ChunkSink,
  StreamClient,
  type StreamClientOptions,
  type StreamRequest,
  type StreamResponse,
} from "./stream-client.ts";
export type { Clock } from "./web/host-pace.ts";
export { openWebClient } from "./web/open-web-client.ts";
export type { WebPolicyOptions } from "./web/policy.ts";
export type { RetryOptions } from "./web/retry.ts";
export type {
  FetchPurpose,
  FetchRecording,
  RecordedFetch,
  WebClient,
  WebClientOptions,
  WebRequest,
  WebResponse,
  WebTimeouts,
} from "./web/web-client.ts";
