/**
 * Recordings of clients: exchanges of a request and the answer that the client accepted. What was shortened when they
 * were written is put back before they are sent.
 */
import { ConformanceInputError, readCases } from "../case-result.ts";

export type JsonObject = { readonly [key: string]: unknown };

export type RecordedEvent = { readonly event?: string | null; readonly data: unknown };

export type RecordedResponse = {
  /** Absent: the recorder did not note it; it was 200. */
  readonly status?: number;
  /** JSON. */
  readonly body?: unknown;
  /** Server-sent events in order; `[DONE]` as a text. */
  readonly events?: readonly RecordedEvent[];
  /** NDJSON. */
  readonly lines?: readonly JsonObject[];
  /** The client dropped the connection. */
  readonly client_closed?: boolean;
  /** What stands here instead of an answer says what it would be. */
  readonly note?: string;
};

export type Exchange = {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: unknown;
  };
  readonly response: RecordedResponse;
};

export type Recording = { readonly client: string; readonly exchanges: readonly Exchange[] };

/** @throws ConformanceInputError for a file that is no recording */
export function readRecording(path: string): Recording {
  const { client, exchanges } = readCases(path) as Partial<Recording>;
  if (typeof client !== "string" || !Array.isArray(exchanges)) {
    throw new ConformanceInputError(`${path} is no recording: it has no "client" or "exchanges".`);
  }
  return { client, exchanges: exchanges.map((exchange) => restored(exchange, exchanges)) };
}

/** An exchange with its request as the client sent it, as far as that is known. */
function restored(exchange: Exchange, all: readonly Exchange[]): Exchange {
  const { request } = exchange;
  if (request.body === undefined) return exchange;
  const body = put(request.body, [], sameElsewhere(exchange, all));
  return { ...exchange, request: { ...request, body: whole(body, "") } };
}

type Path = readonly (string | number)[];

/** `<same as in the first exchange with tools>`, `<item 2: same as in the first exchange>`. */
const SAME = /^<(?:item (\d+): )?same as in the first exchange[^>]*>$/;

function put(value: unknown, path: Path, find: (path: Path) => unknown): unknown {
  if (typeof value === "string") {
    const match = SAME.exec(value);
    if (match === null) return value;
    const item = match[1];
    return find(item === undefined ? path : [...path.slice(0, -1), Number(item)]);
  }
  if (Array.isArray(value)) return value.map((held, at) => put(held, [...path, at], find));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, held]) => [key, put(held, [...path, key], find)]),
  );
}

/** What stands at a place of the first exchange that has it in full. */
function sameElsewhere(exchange: Exchange, all: readonly Exchange[]): (path: Path) => unknown {
  return (path) => {
    for (const { request } of all) {
      if (request === exchange.request) break;
      const found = path.reduce<unknown>(
        (held, key) => (isObject(held) || Array.isArray(held) ? (held as never)[key] : undefined),
        request.body,
      );
      const isWhole = found !== undefined && !(typeof found === "string" && SAME.test(found));
      if (isWhole) return found;
    }
    throw new ConformanceInputError(`Nothing stands at ${path.join(".")} of an earlier exchange.`);
  };
}

/** `The beginning…<2142 characters>`. */
const CUT = /^([\s\S]*)…<(\d+) characters>$/;
const FILLER = "the rest of this text was left out when it was recorded ";

/** Texts that were cut have their length again; what has to be a grammar is one. */
function whole(value: unknown, path: string): unknown {
  if (typeof value === "string") {
    const match = CUT.exec(value);
    if (match === null) return value;
    if (path.endsWith(".format.definition")) return "start: /[\\s\\S]+/";
    const [, beginning = "", length = "0"] = match;
    const missing = Math.max(0, Number(length) - beginning.length);
    return beginning + FILLER.repeat(Math.ceil(missing / FILLER.length)).slice(0, missing);
  }
  if (Array.isArray(value)) return value.map((held) => whole(held, `${path}[]`));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, held]) => [key, whole(held, `${path}.${key}`)]),
  );
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
