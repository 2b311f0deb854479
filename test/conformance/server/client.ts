/** Sends a recorded request, and reads the answer to its end. */
import type { Received } from "./judge.ts";
import type { Exchange, JsonObject, RecordedEvent } from "./recording.ts";

/** What fetch says itself, or what belongs to the connection of that time. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  ...["host", "connection", "content-length", "transfer-encoding", "accept-encoding"],
  ...["content-encoding", "expect", "keep-alive"],
]);

/** @param gone the client leaves by it when the answer has begun; absent: it reads to the end */
export async function send(
  base: string,
  { request }: Exchange,
  gone?: AbortController,
): Promise<Received> {
  const headers = Object.entries(request.headers ?? {}).filter(([name]) => !OWN_HEADERS.has(name));
  const response = await fetch(base + request.path, {
    method: request.method,
    headers,
    ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
    ...(gone && { signal: gone.signal }),
  });
  const shared = { status: response.status, headers: Object.fromEntries(response.headers) };
  if (gone !== undefined) {
    await response.body?.getReader().read();
    gone.abort();
    return shared;
  }
  const text = await response.text();
  const type = response.headers.get("content-type") ?? "";
  if (type.startsWith("text/event-stream")) return { ...shared, events: readEvents(text) };
  if (type.startsWith("application/x-ndjson")) return { ...shared, lines: readLines(text) };
  return { ...shared, body: jsonOr(text) };
}

/** Server-sent events, as the specification of HTML reads them; comments are left out. */
function readEvents(text: string): readonly RecordedEvent[] {
  return text.split(/\r?\n\r?\n/).flatMap((block) => {
    const fields = block.split(/\r?\n/).map((line) => /^(\w+):\s?(.*)$/.exec(line));
    const valuesOf = (name: string): readonly string[] =>
      fields.flatMap((field) => (field?.[1] === name ? [field[2] ?? ""] : []));
    const data = valuesOf("data");
    const [event] = valuesOf("event");
    if (data.length === 0) return [];
    return [{ ...(event !== undefined && { event }), data: jsonOr(data.join("\n")) }];
  });
}

function readLines(text: string): readonly JsonObject[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as JsonObject);
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
