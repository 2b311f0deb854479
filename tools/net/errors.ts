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

/** undici wraps what happened in errors of its own; what is none of ours means that the host does not answer. */
export function asNetError(error: unknown, host: string): NetError {
  let innermost: unknown = error;
  for (let depth = 0; innermost instanceof Error && depth < 8; depth++) {
    if (innermost instanceof NetError) return innermost;
    if (innermost.cause === undefined) break;
    innermost = innermost.cause;
  }
  const why = innermost instanceof Error ? innermost.message : String(innermost);
  return new UnreachableError(host, why.replace(/\.$/, ""), { cause: error });
}

const SHOWN_CHARACTERS = 200;

/** A stranger's text, short and with nothing in it that a terminal or a log would obey. */
function shown(text: string): string {
  const plain = JSON.stringify(text.toWellFormed()).slice(1, -1);
  return plain.length <= SHOWN_CHARACTERS ? plain : `${plain.slice(0, SHOWN_CHARACTERS)}…`;
}
