/**
 * What can go wrong with a model, one class per failure. Every message says what was attempted,
 * what was found and what would be accepted; the facts are fields, `code` is stable.
 */

import type { BrandedClass } from "../harmony/index.ts";

/** Base of every failure of `inference/`. */
export abstract class InferenceError extends Error {
  static readonly brand: string = "chorale.InferenceError";
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    addBrands(this, new.target);
  }

  override get name(): string {
    return this.constructor.name;
  }

  /**
   * Whether an error is of this class; unlike `instanceof` also where another copy of the package made
   * it, as two versions in one program do.
   */
  static isInstance<T>(this: BrandedClass<T>, error: unknown): error is T {
    // biome-ignore lint/complexity/noThisInStatic: each class asks for itself.
    return isBranded(this, error);
  }
}

/** Marks an error with the brands of its class and of those above. */
function addBrands(error: Error, made: object): void {
  for (let one = made; one !== Error; one = Object.getPrototypeOf(one)) {
    const { brand } = one as { readonly brand: string };
    Object.defineProperty(error, Symbol.for(brand), { value: true });
  }
}

function isBranded<T>(one: BrandedClass<T>, error: unknown): error is T {
  // A class of a program's own, derived from one here, is known by itself only.
  if (!Object.hasOwn(one, "brand")) return error instanceof one;
  return typeof error === "object" && error !== null && Symbol.for(one.brand) in error;
}

/** There is no checkpoint at the path that was given. */
export class ModelNotFoundError extends InferenceError {
  static override readonly brand: string = "chorale.ModelNotFoundError";
  readonly code = "CHORALE_MODEL_NOT_FOUND";
  readonly path: string;
  constructor(path: string, found: string, options?: ErrorOptions) {
    super(
      `Cannot open the model ${path}: ${found}. Accepted: a folder with config.json and *.safetensors ` +
        "(Hugging Face or original layout) or *.gguf, one .safetensors file with config.json beside it, " +
        "one GGUF file, or the name of a model that was pulled or that Ollama, the Hugging Face hub or " +
        "LM Studio keeps on this machine (gpt-oss:20b, openai/gpt-oss-20b).",
      options,
    );
    this.path = path;
  }
}

/**
 * - `CHORALE_MODEL_NAME`: the text is no name of a model.
 * - `CHORALE_MODEL_AMBIGUOUS`: it stands for several models.
 * - `CHORALE_MODEL_STORE`: the folder of models cannot be read or written.
 * - `CHORALE_MODEL_IN_USE`: another process pulls it.
 * - `CHORALE_PULL_NOT_FOUND`: the registry has no such model, or no files of it that can be loaded.
 * - `CHORALE_PULL_DENIED`: the registry wants a key, or a licence to be accepted first.
 * - `CHORALE_PULL_NETWORK`: it cannot be reached, or breaks off again and again.
 * - `CHORALE_PULL_REGISTRY`: it answers something else than its protocol says.
 * - `CHORALE_PULL_HASH`: what was received is not what the registry promised.
 * - `CHORALE_PULL_DISK`: the disk is too small, or full.
 */
export type ModelStoreErrorCode =
  | "CHORALE_MODEL_NAME"
  | "CHORALE_MODEL_AMBIGUOUS"
  | "CHORALE_MODEL_STORE"
  | "CHORALE_MODEL_IN_USE"
  | "CHORALE_PULL_NOT_FOUND"
  | "CHORALE_PULL_DENIED"
  | "CHORALE_PULL_NETWORK"
  | "CHORALE_PULL_REGISTRY"
  | "CHORALE_PULL_HASH"
  | "CHORALE_PULL_DISK";

/** A model cannot be named, fetched or kept. */
export class ModelStoreError extends InferenceError {
  static override readonly brand: string = "chorale.ModelStoreError";
  readonly code: ModelStoreErrorCode;
  constructor(code: ModelStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A checkpoint is there, but its bytes are not what they must be: truncated, wrong shape, … */
export class CheckpointError extends InferenceError {
  static override readonly brand: string = "chorale.CheckpointError";
  readonly code = "CHORALE_CHECKPOINT_INVALID";
  /** The file that is broken. */
  readonly path: string;
  /** The sentence without the file. */
  readonly problem: string;
  /** The tensor or field concerned, when there is one. */
  readonly item: string | undefined;
  constructor(path: string, problem: string, item?: string, options?: ErrorOptions) {
    super(`Cannot load ${path}: ${problem}`, options);
    this.path = path;
    this.problem = problem;
    this.item = item;
  }
}

/** config.json, or the metadata of a GGUF file, describes a model that this engine does not implement. */
export class UnsupportedArchitectureError extends InferenceError {
  static override readonly brand: string = "chorale.UnsupportedArchitectureError";
  readonly code = "CHORALE_ARCHITECTURE_UNSUPPORTED";
  readonly path: string;
  /** What the file says. */
  readonly found: string;
  /** What would be accepted. */
  readonly accepted: string;
  constructor(path: string, field: string, found: string, accepted: string) {
    super(`Cannot load ${path}: ${field} is ${found}; accepted: ${accepted}.`);
    this.path = path;
    this.found = found;
    this.accepted = accepted;
  }
}

/** The model needs more memory than this process may use; found out before loading. */
export class InsufficientMemoryError extends InferenceError {
  static override readonly brand: string = "chorale.InsufficientMemoryError";
  readonly code = "CHORALE_MEMORY_INSUFFICIENT";
  readonly needsBytes: number;
  readonly haveBytes: number;
  /** The option that a caller can change. */
  readonly option = "memoryLimit";
  constructor(what: string, needsBytes: number, haveBytes: number) {
    super(
      `${what} needs ${formatBytes(needsBytes)} of memory, have ${formatBytes(haveBytes)}. ` +
        "Accepted: a smaller model, a shorter context, a memory limit into which not all experts need to " +
        "fit, or more memory.",
    );
    this.needsBytes = needsBytes;
    this.haveBytes = haveBytes;
  }
}

/** More tokens than a session can hold. */
export class ContextOverflowError extends InferenceError {
  static override readonly brand: string = "chorale.ContextOverflowError";
  readonly code = "CHORALE_CONTEXT_OVERFLOW";
  readonly tokens: number;
  readonly contextLength: number;
  /** The option that a caller can change. */
  readonly option = "contextLength";
  constructor(tokens: number, contextLength: number) {
    super(
      `Cannot hold ${tokens} tokens: the context is ${contextLength} tokens. ` +
        "Accepted: fewer tokens, or a longer context as far as the model allows.",
    );
    this.tokens = tokens;
    this.contextLength = contextLength;
  }
}

/** An id, a length or a sampling value that no engine can act on: a mistake of the caller. */
export class InvalidRequestError extends InferenceError {
  static override readonly brand: string = "chorale.InvalidRequestError";
  readonly code = "CHORALE_INFERENCE_REQUEST_INVALID";
}

/** This machine cannot run the kernels, or a worker of the engine died. */
export class EngineFailedError extends InferenceError {
  static override readonly brand: string = "chorale.EngineFailedError";
  readonly code = "CHORALE_ENGINE_FAILED";
}

/**
 * - `CHORALE_ENGINE_ADDRESS`: the text is no address of an engine.
 * - `CHORALE_ENGINE_UNREACHABLE`: no server answers, or each breaks off again and again.
 * - `CHORALE_ENGINE_DENIED`: it wants a key, or another one.
 * - `CHORALE_ENGINE_REFUSED`: it refuses the request.
 * - `CHORALE_ENGINE_PROTOCOL`: it answers something else than its protocol says, or cannot do what is needed.
 * - `CHORALE_ENGINE_CONSTRAINT`: it gives no token that is allowed at a place.
 */
export type RemoteEngineErrorCode =
  | "CHORALE_ENGINE_ADDRESS"
  | "CHORALE_ENGINE_UNREACHABLE"
  | "CHORALE_ENGINE_DENIED"
  | "CHORALE_ENGINE_REFUSED"
  | "CHORALE_ENGINE_PROTOCOL"
  | "CHORALE_ENGINE_CONSTRAINT";

/** An engine behind a URL cannot be used, or failed for good. */
export class RemoteEngineError extends InferenceError {
  static override readonly brand: string = "chorale.RemoteEngineError";
  readonly code: RemoteEngineErrorCode;
  constructor(code: RemoteEngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The logits of a token hold NaN or infinity: no id can be sampled from them. */
export class BrokenNumbersError extends InferenceError {
  static override readonly brand: string = "chorale.BrokenNumbersError";
  readonly code = "CHORALE_NUMBERS_BROKEN";
  /** Index in the timeline of the token that was to be sampled. */
  readonly position: number;
  constructor(position: number) {
    super(
      `Cannot sample token ${position} of the timeline: the model's numbers are broken, its logits hold ` +
        "NaN or infinity. Accepted: an undamaged copy of the model, or precision exact where int8 overflows.",
    );
    this.position = position;
  }
}

/** A grammar, or a text that says one (a regular expression, EBNF, Lark), cannot be used. */
export class GrammarError extends InferenceError {
  static override readonly brand: string = "chorale.GrammarError";
  readonly code: string = "CHORALE_GRAMMAR_INVALID";
  /** Where in the text, counted from 1; undefined for a grammar that is not a text. */
  readonly line: number | undefined;
  /** In characters (UTF-16), counted from 1. */
  readonly column: number | undefined;
  constructor(message: string, place?: { readonly line: number; readonly column: number }) {
    super(place === undefined ? message : `Line ${place.line}, column ${place.column}: ${message}`);
    this.line = place?.line;
    this.column = place?.column;
  }
}

/** A grammar needs more states than are allowed: nothing is let through unchecked instead. */
export class GrammarLimitError extends InferenceError {
  static override readonly brand: string = "chorale.GrammarLimitError";
  readonly code = "CHORALE_GRAMMAR_LIMIT";
  readonly limit: number;
  constructor(what: string, limit: number) {
    super(
      `Cannot follow the grammar: it needs more than ${limit} ${what}. ` +
        "Accepted: smaller bounds of repetitions, fewer overlapping alternatives, or a shorter text.",
    );
    this.limit = limit;
  }
}

/**
 * A JSON Schema that no grammar can stand for: it is no schema, contradicts itself, leads to nothing, or is
 * larger than what is compiled.
 */
export class JsonSchemaConstraintError extends GrammarError {
  static override readonly brand: string = "chorale.JsonSchemaConstraintError";
  override readonly code = "CHORALE_JSON_SCHEMA_CONSTRAINT";
  /** What is wrong, without the beginning of the sentence. */
  readonly reason: string;
  constructor(reason: string) {
    super(`Cannot constrain an answer to the JSON Schema: ${reason}.`);
    this.reason = reason;
  }
}

/** A `ScriptedEngine` was asked for more replies than its script has. */
export class ScriptExhaustedError extends InferenceError {
  static override readonly brand: string = "chorale.ScriptExhaustedError";
  readonly code = "CHORALE_SCRIPT_EXHAUSTED";
  readonly replies: number;
  constructor(replies: number) {
    super(
      `The scripted engine was asked for reply ${replies + 1}, but its script has ${replies}. ` +
        "Add a reply to the script, or find out why the caller generates once more.",
    );
    this.replies = replies;
  }
}

/** 1,610,612,736 → `1.5 GiB`; whole bytes below 1 KiB. */
export function formatBytes(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
