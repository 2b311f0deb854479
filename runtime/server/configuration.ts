/** How a server listens, whom it lets in, and what it allows: flags, else the environment, else defaults. */
import { isIP } from "node:net";
import { ServerError } from "./errors.ts";

export type ServerConfiguration = {
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
  /** Origins of pages that may use the server, beside those of this machine. */
  readonly origins: readonly string[];
  /** One of them has to be sent; none: everyone on this machine is let in. */
  readonly keys: readonly string[];
  /** Whether models may be pulled, copied, deleted and unloaded by requests. */
  readonly allowsManagement: boolean;
  /** Bytes of the body of a request, decoded. */
  readonly maxBodyBytes: number;
  /** Steps of models that are computed at the same time. */
  readonly slots: number;
  /** Requests that wait at most. */
  readonly maxQueue: number;
  /** Models in memory at the same time. */
  readonly maxModels: number;
  /** Tokens of context; null: what the model was made for, within bounds of the engine. */
  readonly contextLength: number | null;
  /** Milliseconds that a model stays in memory unused; Infinity: for ever. */
  readonly keepAliveMs: number;
  /** Milliseconds that loading a model may take. */
  readonly loadTimeoutMs: number;
  /** Milliseconds without a request behind which the server ends; Infinity: never. */
  readonly idleMs: number;
  /** Milliseconds that running requests have to end in when the server is closed. */
  readonly graceMs: number;
  /** Milliseconds of silence behind which a heartbeat is sent. */
  readonly heartbeatMs: number;
  /** Milliseconds without a byte going through behind which a connection is closed. */
  readonly stallMs: number;
  /** How the events of a raw trace are called in streams of the Responses API. */
  readonly eventNames: "openai" | "open-responses";
  /** Milliseconds that the headers of a request may take to come, and a whole request. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** The version that clients of Ollama are told; they ask for at least some of its. */
  readonly ollamaVersion: string;
};

export const DEFAULTS: ServerConfiguration = {
  host: "127.0.0.1",
  port: 11434,
  origins: [],
  keys: [],
  allowsManagement: true,
  maxBodyBytes: 32 << 20,
  slots: 4,
  maxQueue: 512,
  maxModels: 1,
  contextLength: null,
  keepAliveMs: 5 * 60_000,
  loadTimeoutMs: 5 * 60_000,
  idleMs: Number.POSITIVE_INFINITY,
  graceMs: 30_000,
  heartbeatMs: 10_000,
  stallMs: 60_000,
  headersTimeoutMs: 20_000,
  requestTimeoutMs: 120_000,
  eventNames: "openai",
  ollamaVersion: "0.31.2",
};

/** What is given as a flag, in the same words as the configuration. */
export type ServerFlags = Partial<ServerConfiguration> & {
  /** `[scheme://]host[:port]` */
  readonly listen?: string | undefined;
  /** Listens to other machines without a key. */
  readonly allowsAnyone?: boolean | undefined;
};

/**
 * @param env  `CHORALE_*`, and the same variables of Ollama
 * @throws ServerError for what cannot be read, and where everyone could use the server
 */
export function serverConfiguration(
  flags: ServerFlags,
  env: NodeJS.ProcessEnv,
): ServerConfiguration {
  const { listen, allowsAnyone = false, ...given } = flags;
  const read = <T>(names: readonly string[], parse: (text: string) => T | null): Partial<T>[] => {
    for (const name of names) {
      const text = env[name]?.trim().replace(/^(["'])(.*)\1$/, "$2");
      if (text === undefined || text === "") continue;
      const value = parse(text);
      if (value === null) throw unreadable(name, text);
      return [value as Partial<T>];
    }
    return [];
  };
  const address = listen === undefined ? null : parseAddress(listen);
  if (listen !== undefined && address === null) throw unreadable("--listen", listen);
  const [fromEnv] = read(["CHORALE_HOST", "OLLAMA_HOST"], parseAddress);
  const number = (name: string, min: number): Partial<number>[] =>
    read([`CHORALE_${name}`, `OLLAMA_${name}`], (text) => wholeNumber(text, min));
  const [slots] = number("NUM_PARALLEL", 0);
  const [maxQueue] = number("MAX_QUEUE", 0);
  const [contextLength] = number("CONTEXT_LENGTH", 0);
  const [maxModels] = number("MAX_LOADED_MODELS", 0);
  const [keepAlive] = read(["CHORALE_KEEP_ALIVE", "OLLAMA_KEEP_ALIVE"], parseKeepAlive);
  const [loadTimeout] = read(["CHORALE_LOAD_TIMEOUT", "OLLAMA_LOAD_TIMEOUT"], parseKeepAlive);
  const [origins] = read(["CHORALE_ORIGINS", "OLLAMA_ORIGINS"], (text) =>
    text.split(",").flatMap((part) => part.trim() || []),
  );
  const [keys] = read(["CHORALE_API_KEY"], (text) => [text]);
  // Of Ollama's variables a zero means its default.
  const positive = <Name extends string>(name: Name, value: Partial<number> | undefined) =>
    value === undefined || value === 0 ? {} : ({ [name]: value } as Record<Name, number>);
  const configuration: ServerConfiguration = {
    ...DEFAULTS,
    ...positive("slots", slots),
    ...positive("maxQueue", maxQueue),
    ...positive("contextLength", contextLength),
    ...positive("maxModels", maxModels),
    ...(keepAlive !== undefined && { keepAliveMs: keepAlive as number }),
    ...positive("loadTimeoutMs", loadTimeout),
    ...(origins !== undefined && { origins: origins as readonly string[] }),
    ...(keys !== undefined && { keys: keys as readonly string[] }),
    ...fromEnv,
    ...address,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
  if (!isLoopback(configuration.host) && configuration.keys.length === 0 && !allowsAnyone) {
    throw new ServerError(
      "CHORALE_SERVER_CONFIGURATION",
      `${configuration.host} lets other machines in, and there is no key. Put one into CHORALE_API_KEY or ` +
        "--api-key-file, or say with --allow-anyone that every program that reaches this machine may use it.",
    );
  }
  return configuration;
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || /^127\.|^::1$/.test(host);
}

function unreadable(name: string, text: string): ServerError {
  return new ServerError(
    "CHORALE_SERVER_CONFIGURATION",
    `${name} is ${JSON.stringify(text)}, which cannot be read; accepted: ${ACCEPTED[name.replace(/^(?:CHORALE|OLLAMA)_/, "")] ?? "a whole number"}.`,
  );
}

const DURATION = "a duration like 5m or 90s, seconds as a number, or -1 for ever";
const ACCEPTED: Readonly<Record<string, string>> = {
  HOST: "[http://]HOST[:PORT]",
  "--listen": "[http://]HOST[:PORT]",
  KEEP_ALIVE: DURATION,
  LOAD_TIMEOUT: DURATION,
};

/** `[scheme://]host[:port][/path]`; without a scheme the port is 11434. */
function parseAddress(text: string): { readonly host: string; readonly port: number } | null {
  const [, scheme, rest = ""] = /^(?:([a-z]+):\/\/)?([^/]*)/i.exec(text) ?? [];
  const known: Readonly<Record<string, number>> = { http: 80, https: 443 };
  const standard = scheme === undefined ? DEFAULTS.port : known[scheme.toLowerCase()];
  if (standard === undefined) return null;
  if (isIP(rest) === 6) return { host: rest, port: standard };
  const match = /^(\[[^\]]+\]|[^:[\]]*)(?::(\d{1,5}))?$/.exec(rest);
  if (match === null) return null;
  const host = (match[1] ?? "").replace(/^\[|\]$/g, "");
  const port = match[2] === undefined ? standard : Number(match[2]);
  if (port > 65_535 || (match[1]?.startsWith("[") && isIP(host) !== 6)) return null;
  return { host: host === "" ? DEFAULTS.host : host, port };
}

function wholeNumber(text: string, min: number): number | null {
  if (!/^\d{1,9}$/.test(text)) return null;
  const value = Number(text);
  return value >= min ? value : null;
}

/** Of a variable: a number means seconds there. */
function parseKeepAlive(text: string): number | null {
  const seconds = /^-?\d+$/.test(text) ? Number(text) : null;
  return keepAliveOf(seconds ?? text);
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * `keep_alive`: seconds, or a duration of Go (`5m`, `1h30m`, `-1m`; a text of digits alone is none, but `0` is).
 * @returns milliseconds, Infinity for a negative one; null for what cannot be read
 */
export function keepAliveOf(value: string | number): number | null {
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return null;
    return value < 0 ? Number.POSITIVE_INFINITY : value * 1000;
  }
  const text = value.trim();
  if (/^[+-]?0$/.test(text)) return 0;
  const match = /^([+-]?)((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.exec(text);
  if (match === null || text.length > 64) return null;
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    ms += Number(count) * (UNITS[unit ?? ""] ?? 0);
  }
  return match[1] === "-" ? Number.POSITIVE_INFINITY : ms;
}
