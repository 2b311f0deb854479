/** What is wrong with a request, or keeps the server from answering it, with the status that says so. */
export type ServerErrorCode =
  /** The body is not what is asked for. */
  | "CHORALE_REQUEST"
  /** No such model, path or object. */
  | "CHORALE_NOT_FOUND"
  | "CHORALE_METHOD"
  /** No key, or a wrong one. */
  | "CHORALE_UNAUTHORIZED"
  /** The host, the origin or the address may not do this. */
  | "CHORALE_FORBIDDEN"
  | "CHORALE_TOO_LARGE"
  | "CHORALE_ENCODING"
  | "CHORALE_SERVER_BUSY"
  | "CHORALE_SERVER_CLOSING"
  | "CHORALE_MODEL_LOADING"
  /** The file of responses cannot be opened, read or written. */
  | "CHORALE_RESPONSE_STORE"
  /** The server cannot be started as it was asked to. */
  | "CHORALE_SERVER_CONFIGURATION";

export type ServerErrorDetails = {
  readonly cause?: unknown;
  /** HTTP status; default 400. */
  readonly status?: number;
  /** The field of the body. */
  readonly param?: string | null;
  /** What OpenAI calls it: `model_not_found`, `context_length_exceeded`. */
  readonly wireCode?: string | null;
  /** Seconds after which the client may try again. */
  readonly retryAfter?: number;
};

export class ServerError extends Error {
  readonly code: ServerErrorCode;
  readonly status: number;
  readonly param: string | null;
  readonly wireCode: string | null;
  readonly retryAfter: number | null;

  constructor(code: ServerErrorCode, message: string, details: ServerErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.status = details.status ?? 400;
    this.param = details.param ?? null;
    this.wireCode = details.wireCode ?? null;
    this.retryAfter = details.retryAfter ?? null;
  }

  override get name(): string {
    return this.constructor.name;
  }
}

/** The queue is full. */
export class ServerBusyError extends ServerError {
  /** @param waiting requests */
  constructor(waiting: number) {
    // Clients of Ollama look for this sentence, two spaces included.
    super(
      "CHORALE_SERVER_BUSY",
      "server busy, please try again.  maximum pending requests exceeded",
      { status: 503, wireCode: "server_busy", retryAfter: waiting > 64 ? 10 : 2 },
    );
  }
}

/** The model that a request names is not here. */
export class ModelNotFoundError extends ServerError {
  /** @param name as it was sent */
  constructor(name: string) {
    super("CHORALE_NOT_FOUND", `model '${name}' not found`, {
      status: 404,
      param: "model",
      wireCode: "model_not_found",
    });
  }
}

/** A field of the body. */
export function invalidField(param: string, problem: string): ServerError {
  return new ServerError("CHORALE_REQUEST", problem, { param });
}

/** The prompt leaves no room for an answer. */
export function promptTooLong(
  size: number,
  contextLength: number,
  unit: "tokens" | "characters" = "tokens",
): ServerError {
  return new ServerError(
    "CHORALE_REQUEST",
    `The prompt has ${size} ${unit}, and the model's context holds ${contextLength} tokens, the answer included. ` +
      "Shorten the conversation, or serve the model with a larger context.",
    { wireCode: "context_length_exceeded", param: "messages" },
  );
}
