/**
 * Answers that take their time. What is wrong before anything was sent has a status; afterwards it is told inside of
 * the answer. While the model is silent, the client hears that it is not forgotten.
 */
import type { Clock } from "../clock.ts";

export type AnswerOptions = {
  readonly clock: Clock;
  /** Milliseconds of silence behind which a heartbeat is sent. */
  readonly heartbeatMs: number;
  /** Milliseconds behind which an answer begins that is not ready: a client gives up without headers. */
  readonly commitMs: number;
  /** Hears of what failed when the status was sent. */
  readonly onFailure: (error: unknown) => void;
};

export type StreamOptions = AnswerOptions & {
  readonly contentType: "text/event-stream" | "application/x-ndjson";
  /** What is sent into a silence. */
  readonly heartbeat: () => string;
  /** The end of an answer that failed. */
  readonly failure: (error: unknown) => string;
};

const encoder = new TextEncoder();

/**
 * An answer in pieces.
 *
 * @param begun resolves when the request was accepted, with the pieces
 * @throws what `begun` rejects with, where that is known before the answer has to begin
 */
export async function streamAnswer(
  begun: Promise<AsyncGenerator<string, void, void>>,
  options: StreamOptions,
): Promise<Response> {
  await settled(begun, options);
  const pieces = piecesOf(begun, options);
  return new Response(withHeartbeat(pieces, options), {
    headers: {
      "content-type": `${options.contentType}; charset=utf-8`.replace(
        "ndjson; charset=utf-8",
        "ndjson",
      ),
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
      // The headers go out before the first piece.
      "transfer-encoding": "chunked",
    },
  });
}

async function* piecesOf(
  begun: Promise<AsyncGenerator<string, void, void>>,
  { failure, onFailure }: StreamOptions,
): AsyncGenerator<string, void, void> {
  try {
    yield* await begun;
  } catch (error) {
    onFailure(error);
    yield failure(error);
  }
}

/**
 * An answer of one JSON value. White space goes before it where it takes long, which JSON allows.
 *
 * @param failure the body of an answer that failed when its status was sent
 * @throws what `value` rejects with, where that is known before the answer has to begin
 */
export async function jsonAnswer(
  value: Promise<object>,
  options: AnswerOptions & { readonly failure: (error: unknown) => object },
): Promise<Response> {
  const headers = { "content-type": "application/json; charset=utf-8" };
  if (await settled(value, options)) {
    return new Response(JSON.stringify(await value), { headers });
  }
  async function* pieces(): AsyncGenerator<string, void, void> {
    const body = await value.catch((error: unknown) => {
      options.onFailure(error);
      return options.failure(error);
    });
    yield JSON.stringify(body);
  }
  const body = withHeartbeat(pieces(), { ...options, heartbeat: () => " " });
  return new Response(body, { headers: { ...headers, "transfer-encoding": "chunked" } });
}

/**
 * Waits as long as nothing has to be sent.
 * @returns whether the promise has its value
 * @throws what it rejects with
 */
async function settled(
  promise: Promise<unknown>,
  { clock, commitMs }: AnswerOptions,
): Promise<boolean> {
  const late = Promise.withResolvers<"late">();
  const forget = clock.after(commitMs, () => late.resolve("late"));
  // It may fail later, when the caller no longer waits here.
  promise.catch(() => {});
  try {
    return (await Promise.race([promise, late.promise])) !== "late";
  } finally {
    forget();
  }
}

function withHeartbeat(
  pieces: AsyncGenerator<string, void, void>,
  { clock, heartbeatMs, heartbeat }: AnswerOptions & { readonly heartbeat: () => string },
): ReadableStream<Uint8Array> {
  // Begun at once: a generator that was never asked would not give back what it holds.
  let next: Promise<IteratorResult<string, void>> | null = pieces.next();
  next.catch(() => {});
  return new ReadableStream<Uint8Array>(
    {
      // Asked only when the last piece was taken: who reads slowly holds the model back.
      async pull(controller) {
        next ??= pieces.next();
        const silence = Promise.withResolvers<null>();
        const forget = clock.after(heartbeatMs, () => silence.resolve(null));
        try {
          const piece = await Promise.race([next, silence.promise]);
          if (piece === null) {
            controller.enqueue(encoder.encode(heartbeat()));
            return;
          }
          next = null;
          if (piece.done) controller.close();
          else controller.enqueue(encoder.encode(piece.value));
        } finally {
          forget();
        }
      },
      async cancel() {
        await pieces.return();
      },
    },
    { highWaterMark: 0 },
  );
}

/** One event of a stream of events. */
export function sse(data: object | string, event?: string): string {
  const text = typeof data === "string" ? data : JSON.stringify(data);
  return `${event === undefined ? "" : `event: ${event}\n`}data: ${text}\n\n`;
}

/** One line of NDJSON. */
export function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
