/** Why a request was not made, or not finished. Each class is one reason, with the facts as fields. */
import { ToolsError } from "../core/errors.ts";

/** Base of everything that the guarded fetch throws. */
export class NetError extends ToolsError {
  static override readonly brand: string = "chorale.NetError";
}

/** The URL itself: not http or https, credentials in it, none at all. */
export class UrlRefusedError extends NetError {
  static override readonly brand: string = "chorale.UrlRefusedError";
  readonly url: string;

  constructor(url: string, problem: string) {
    super("CHORALE_NET_URL", `${shown(url)} was not requested: ${problem}`);
    this.url = url;
  }
}

/** The host is not among those that were granted. */
export class HostNotGrantedError extends NetError {
  static override readonly brand: string = "chorale.HostNotGrantedError";
  readonly host: string;
  readonly granted: readonly string[];

  constructor(host: string, granted: readonly string[], redirectedFrom?: string) {
    const how = redirectedFrom === undefined ? "" : ` (${shown(redirectedFrom)} redirects there)`;
    const list = granted.length === 0 ? "no host is granted" : `granted: ${granted.join(", ")}`;
    super("CHORALE_NET_HOST", `${shown(host)} was not asked${how}: ${list}.`);
    this.host = host;
    this.granted = granted;
  }
}

/** The name stands for an address inside of this machine or its network. */
export class AddressRefusedError extends NetError {
  static override readonly brand: string = "chorale.AddressRefusedError";
  readonly host: string;
  readonly address: string;
  readonly range: string;

  constructor(host: string, address: string, range: string) {
    super(
      "CHORALE_NET_ADDRESS",
      `${shown(host)} was not asked: its address ${shown(address)} is ${range}; only addresses of the public internet are connected to.`,
    );
    this.host = host;
    this.address = address;
    this.range = range;
  }
}

/** No address, or no answer from there. */
export class UnreachableError extends NetError {
  static override readonly brand: string = "chorale.UnreachableError";
  readonly host: string;

  constructor(host: string, problem: string, options?: ErrorOptions) {
    super("CHORALE_NET_UNREACHABLE", `${shown(host)} cannot be reached: ${problem}.`, options);
    this.host = host;
  }
}

/** The whole request, redirects and body included, took too long. */
export class NetTimeoutError extends NetError {
  static override readonly brand: string = "chorale.NetTimeoutError";
  readonly limitMs: number;

  constructor(url: string, limitMs: number) {
    super(
      "CHORALE_NET_TIMEOUT",
      `${shown(url)} was given up: it took longer than ${limitMs / 1000} s.`,
    );
    this.limitMs = limitMs;
  }
}

/** The caller's signal came first. */
export class NetAbortedError extends NetError {
  static override readonly brand: string = "chorale.NetAbortedError";
  constructor(url: string, options?: ErrorOptions) {
    super("CHORALE_NET_ABORTED", `${shown(url)} was given up: the request was cancelled.`, options);
  }
}

export class BodyTooLargeError extends NetError {
  static override readonly brand: string = "chorale.BodyTooLargeError";
  readonly limitBytes: number;

  constructor(url: string, what: "request" | "response", limitBytes: number) {
    const which = what === "request" ? "body to be sent to" : "body of";
    super(
      "CHORALE_NET_TOO_LARGE",
      `The ${which} ${shown(url)} has more than ${limitBytes} bytes, the most that is accepted.`,
    );
    this.limitBytes = limitBytes;
  }
}

export class TooManyRedirectsError extends NetError {
  static override readonly brand: string = "chorale.TooManyRedirectsError";
  readonly limit: number;

  constructor(url: string, limit: number) {
    super(
      "CHORALE_NET_REDIRECTS",
      `${shown(url)} was given up: it redirects more than ${limit} times.`,
    );
    this.limit = limit;
  }
}

/** A server answers with much more around the content than content. */
export class ResponseOverheadError extends NetError {
  static override readonly brand: string = "chorale.ResponseOverheadError";
  constructor(origin: string) {
    super(
      "CHORALE_NET_RESPONSE",
      `${shown(origin)} was given up: it answers with endless frames or headers instead of content.`,
    );
  }
}

/** A method or header that is not passed on. */
export class RequestRefusedError extends NetError {
  static override readonly brand: string = "chorale.RequestRefusedError";
  constructor(url: string, problem: string) {
    super("CHORALE_NET_REQUEST", `${shown(url)} was not requested: ${problem}`);
  }
}

/** The user's rules leave the host out. */
export class DomainRefusedError extends NetError {
  static override readonly brand: string = "chorale.DomainRefusedError";
  readonly host: string;

  constructor(host: string, rule: string) {
    super("CHORALE_NET_DOMAIN", `${shown(host)} was not asked: ${rule}.`);
    this.host = host;
  }
}

/** The host is to be asked later than the caller would wait. */
export class RateLimitedError extends NetError {
  static override readonly brand: string = "chorale.RateLimitedError";
  readonly host: string;
  readonly waitSeconds: number;

  constructor(host: string, waitSeconds: number) {
    super(
      "CHORALE_NET_RATE",
      `${shown(host)} was not asked: it may be asked again in ${Math.ceil(waitSeconds)} s.`,
    );
    this.host = host;
    this.waitSeconds = waitSeconds;
  }
}

/** The site does not want programs to read the page. */
export class RobotsRefusedError extends NetError {
  static override readonly brand: string = "chorale.RobotsRefusedError";
  constructor(url: string, reason: string, options?: ErrorOptions) {
    super("CHORALE_NET_ROBOTS", `${shown(url)} was not requested: ${reason}.`, options);
  }
}

/** Nothing is to be asked, and nothing is kept of it. */
export class OfflineError extends NetError {
  static override readonly brand: string = "chorale.OfflineError";
  constructor(url: string) {
    super(
      "CHORALE_NET_OFFLINE",
      `${shown(url)} was not requested: this run is offline, and neither the cache nor the thread holds the page.`,
    );
  }
}

/** What was recorded is not what it says that it is. */
export class RecordingError extends NetError {
  static override readonly brand: string = "chorale.RecordingError";
  constructor(url: string) {
    super(
      "CHORALE_NET_RECORDING",
      `The recorded page ${shown(url)} was not used: its content does not have the SHA-256 that was recorded with it.`,
    );
  }
}

/** The proxy of the environment cannot be used, or does not connect. */
export class ProxyError extends NetError {
  static override readonly brand: string = "chorale.ProxyError";
  constructor(problem: string) {
    super("CHORALE_NET_PROXY", `${shown(problem)}.`);
  }
}

/** The body is not what its headers say that it is. */
export class ContentEncodingError extends NetError {
  static override readonly brand: string = "chorale.ContentEncodingError";
  constructor(url: string, problem: string, options?: ErrorOptions) {
    super(
      "CHORALE_NET_ENCODING",
      `The body of ${shown(url)} cannot be unpacked: ${shown(problem)}; accepted: gzip, deflate, br and zstd.`,
      options,
    );
  }
}

/** The connection ended before the response did. */
export class IncompleteResponseError extends NetError {
  static override readonly brand: string = "chorale.IncompleteResponseError";
  constructor(url: string, options?: ErrorOptions) {
    super(
      "CHORALE_NET_INCOMPLETE",
      `The response of ${shown(url)} broke off before its end.`,
      options,
    );
  }
}

/** The server does not prove that it is who the URL names. */
class CertificateError extends NetError {
  static override readonly brand: string = "chorale.CertificateError";
  readonly host: string;

  constructor(host: string, problem: string, options?: ErrorOptions) {
    super(
      "CHORALE_NET_TLS",
      `${shown(host)} was not asked: its certificate is not accepted (${shown(problem)}).`,
      options,
    );
    this.host = host;
  }
}

/** undici wraps what happened in errors of its own; what is none of ours means that the host does not answer. */
export function asNetError(error: unknown, host: string): NetError {
  let innermost: unknown = error;
  for (let depth = 0; innermost instanceof Error && depth < 8; depth++) {
    if (innermost instanceof NetError) return innermost;
    if (innermost.cause === undefined) break;
    innermost = innermost.cause;
  }
  const code = innermost instanceof Error && "code" in innermost ? String(innermost.code) : "";
  const why = innermost instanceof Error ? innermost.message : String(innermost);
  if (CERTIFICATE_CODES.test(code)) return new CertificateError(host, why, { cause: error });
  return new UnreachableError(host, why.replace(/\.$/, ""), { cause: error });
}

/** Codes of OpenSSL's verification and of Node's comparison of the name. */
const CERTIFICATE_CODES =
  /^(?:ERR_TLS_CERT_.*|CERT_.*|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED)$/;

const SHOWN_CHARACTERS = 200;

/** A stranger's text, short and with nothing in it that a terminal or a log would obey. */
function shown(text: string): string {
  const plain = JSON.stringify(text.toWellFormed()).slice(1, -1);
  return plain.length <= SHOWN_CHARACTERS ? plain : `${plain.slice(0, SHOWN_CHARACTERS)}…`;
}
