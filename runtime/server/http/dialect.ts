/** Errors as the clients of each API read them. */
import { codeOf, isForeseen, messageOf, RunError } from "../../errors.ts";
import { ServerError } from "../errors.ts";

/** How an error is told: Ollama's word, OpenAI's object, Anthropic's. */
export type Dialect = "ollama" | "openai" | "anthropic";

function dialectOf(path: string): Dialect {
  if (path.startsWith("/api/")) return "ollama";
  return /^\/v1\/messages(?:\/|$)/.test(path) ? "anthropic" : "openai";
}

/** What is told of an error: never more than what was foreseen. */
export type ErrorFacts = {
  readonly status: number;
  readonly message: string;
  readonly param: string | null;
  /** OpenAI's word, where it has one. */
  readonly code: string | null;
  readonly retryAfter: number | null;
};

/** Failures of the model or a limit that are the request's own. */
const REQUEST_CODES: ReadonlySet<string> = new Set([
  "CHORALE_USAGE",
  "CHORALE_PROMPT_TOO_LONG",
  "CHORALE_CONTEXT_FULL",
  "CHORALE_SCHEMA",
  "CHORALE_GRAMMAR_INVALID",
  "CHORALE_GRAMMAR_LIMIT",
  "CHORALE_MODEL_NAME",
]);
const CONTEXT_CODES: ReadonlySet<string> = new Set([
  "CHORALE_PROMPT_TOO_LONG",
  "CHORALE_CONTEXT_FULL",
]);

export function errorFacts(error: unknown): ErrorFacts {
  if (error instanceof ServerError) {
    const { status, message, param, wireCode: code, retryAfter } = error;
    return { status, message, param, code, retryAfter };
  }
  const code = codeOf(error);
  if (code === undefined || !isForeseen(error)) {
    return { ...SERVER_FAULT, message: "The server failed while it answered; its log says why." };
  }
  const message = messageOf(error);
  if (!REQUEST_CODES.has(code)) return { ...SERVER_FAULT, message };
  const isContext = CONTEXT_CODES.has(code);
  return {
    status: 400,
    message,
    param: RunError.isInstance(error) ? (error.option ?? null) : null,
    code: isContext ? "context_length_exceeded" : null,
    retryAfter: null,
  };
}

const SERVER_FAULT = { status: 500, param: null, code: null, retryAfter: null } as const;

/**
 * Tells the person who watches what failed here, and is not the request's own fault.
 * @param what method and path, or what of it
 */
export function noteFailure(error: unknown, what: string, note: (sentence: string) => void): void {
  if (error instanceof ServerError || (error instanceof Error && error.name === "AbortError"))
    return;
  if (isForeseen(error)) {
    if (errorFacts(error).status === 500) note(`${what} came to no answer: ${messageOf(error)}`);
    return;
  }
  note(`${what} failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
}

/** The body of an answer that is an error. */
export function errorBody(dialect: Dialect, facts: ErrorFacts): object {
  const { message, param, code, status } = facts;
  switch (dialect) {
    case "ollama":
      return { error: message };
    case "openai":
      return { error: { message, type: openaiType(status), param, code } };
    case "anthropic":
      return { type: "error", error: { type: anthropicType(status), message } };
  }
}

function openaiType(status: number): string {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

function anthropicType(status: number): string {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

/** An answer that is an error, as its path's clients read it. */
export function errorResponse(path: string, error: unknown): Response {
  const facts = errorFacts(error);
  const headers = new Headers({ "content-type": "application/json; charset=utf-8" });
  if (facts.retryAfter !== null) headers.set("retry-after", String(facts.retryAfter));
  // The rest of a body that is not wanted is not read.
  if (facts.status === 413) headers.set("connection", "close");
  return new Response(JSON.stringify(errorBody(dialectOf(path), facts)), {
    status: facts.status,
    headers,
  });
}
