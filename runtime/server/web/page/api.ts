/** What the page asks its server. */
import type { LoggedTurn, Trace, TraceToken } from "../../../tracing/index.ts";
import type { PageEvent } from "../live-run.ts";

export type ServerFacts = {
  readonly version: string;
  readonly models: readonly {
    readonly name: string;
    readonly context_length: number;
    readonly parameters: string;
    readonly quantization: string;
  }[];
  readonly loaded: readonly {
    readonly name: string;
    readonly context_length: number;
    readonly bytes: number;
    readonly is_busy: boolean;
  }[];
  readonly memory: { readonly used: number; readonly total: number };
  readonly tools: readonly { readonly name: string; readonly description: string }[];
};

export type ListedThread = {
  readonly id: string;
  readonly title: string | null;
  readonly updated_at: string;
  readonly turns: number;
  readonly is_open: boolean;
  readonly run: string | null;
  readonly excerpt: string | null;
};

export type ShownThread = {
  readonly id: string;
  readonly parent: string | null;
  readonly turns: readonly LoggedTurn[];
  readonly is_open: boolean;
  readonly run: { readonly id: string; readonly text: string | null } | null;
};

export type RunRequest = {
  readonly thread: string | null;
  readonly text: string | null;
  readonly model: string;
  readonly effort: string;
  readonly tools: readonly string[] | null;
  readonly schema: unknown;
};

export type ExportFormat = "markdown" | "jsonl" | "harmony";

/** What the server said instead of an answer. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const KEY = "chorale-key";
/** How often a stream that broke is taken up again without an event in between. */
const MAX_TRIES = 8;

/** Kept as long as the tab. */
export function useKey(key: string): void {
  sessionStorage.setItem(KEY, key);
}

async function request(method: string, path: string, body?: object): Promise<Response> {
  const key = sessionStorage.getItem(KEY);
  const response = await fetch(`/page/api/${path}`, {
    method,
    cache: "no-store",
    headers: {
      "x-chorale-page": "1",
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (response.ok) return response;
  const answer = (await response.json().catch(() => null)) as {
    readonly error?: { readonly message?: string };
  } | null;
  throw new ApiError(
    response.status,
    answer?.error?.message ?? `The server says ${response.status}.`,
  );
}

async function json<T>(method: string, path: string, body?: object): Promise<T> {
  return (await (await request(method, path, body)).json()) as T;
}

const thread = (id: string): string => `threads/${encodeURIComponent(id)}`;
const run = (id: string): string => `runs/${encodeURIComponent(id)}`;

type ThreadId = { readonly id: string };

export const api = {
  state: (): Promise<ServerFacts> => json("GET", "state"),
  threads: (query: string): Promise<{ readonly threads: readonly ListedThread[] }> =>
    json("GET", `threads?query=${encodeURIComponent(query)}`),
  thread: (id: string): Promise<ShownThread> => json("GET", thread(id)),
  fork: (id: string, turn: number | null): Promise<ThreadId> =>
    json("POST", `${thread(id)}/fork`, { turn }),
  rename: (id: string, title: string): Promise<object> =>
    json("POST", `${thread(id)}/title`, { title }),
  remove: (id: string): Promise<object> => json("DELETE", thread(id)),
  exported: async (id: string, format: ExportFormat): Promise<Blob> =>
    (await request("GET", `${thread(id)}/export?format=${format}`)).blob(),
  trace: (id: string): Promise<Trace> => json("GET", `${thread(id)}/trace`),
  tokens: (
    id: string,
    turn: number,
    message: number,
  ): Promise<{ readonly tokens: readonly TraceToken[] }> =>
    json("GET", `${thread(id)}/tokens/${turn}/${message}`),
  file: async (id: string, call: string, index: number): Promise<ArrayBuffer> =>
    (
      await request("GET", `${thread(id)}/files/${encodeURIComponent(call)}/${index}`)
    ).arrayBuffer(),
  begin: (wish: RunRequest): Promise<ThreadId & { readonly thread: string }> =>
    json("POST", "runs", wish),
  decide: (
    id: string,
    call: string,
    decision: "allow" | "deny",
    remember: "session" | null,
  ): Promise<object> => json("POST", `${run(id)}/decision`, { call, decision, remember }),
  steer: (id: string, text: string): Promise<object> => json("POST", `${run(id)}/steer`, { text }),
  stop: (id: string): Promise<object> => json("POST", `${run(id)}/stop`, {}),
};

/** All events of a run from its first on; a connection that breaks is taken up where it broke. */
export async function* eventsOf(id: string, signal: AbortSignal): AsyncGenerator<PageEvent> {
  let next = 0;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    try {
      const response = await streamFrom(id, next, signal);
      for await (const [number, event] of framesOf(response)) {
        if (number >= 0) next = number + 1;
        tries = 0;
        yield event;
      }
      return;
    } catch (error) {
      if (signal.aborted || error instanceof ApiError) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** tries));
    }
  }
  throw new Error("The connection to the server broke, and it cannot be reached again.");
}

async function streamFrom(
  id: string,
  from: number,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const key = sessionStorage.getItem(KEY);
  const response = await fetch(`/page/api/${run(id)}/events?from=${from}`, {
    signal,
    cache: "no-store",
    headers: { "x-chorale-page": "1", ...(key !== null && { authorization: `Bearer ${key}` }) },
  });
  if (!response.ok || response.body === null) {
    throw new ApiError(response.status, "The run is not known to the server any more.");
  }
  return response.body;
}

async function* framesOf(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<readonly [number, PageEvent]> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const frames = text.split("\n\n");
      text = frames.pop() ?? "";
      for (const frame of frames) {
        const data = /^data: (.*)$/m.exec(frame)?.[1];
        const number = Number(/^id: (-?\d+)$/m.exec(frame)?.[1] ?? -1);
        if (data !== undefined) yield [number, JSON.parse(data) as PageEvent];
      }
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}
