/**
 * What can go wrong between messages and token ids. Every class has a stable `code`; what a model
 * writes wrongly is no error here but an issue of the parser (see `issues.ts`).
 */

/** Base of all failures of this folder. */
export class HarmonyError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A vocabulary file or a `tokenizer.json` that cannot be used. */
export class VocabularyError extends HarmonyError {
  constructor(message: string, options?: ErrorOptions) {
    super("CHORALE_VOCABULARY", message, options);
  }
}

/** An id that the vocabulary does not have. The text is the reference implementation's. */
export class UnknownTokenError extends HarmonyError {
  readonly id: number;
  constructor(id: number) {
    super("CHORALE_UNKNOWN_TOKEN", `Invalid token for decoding: ${id}`);
    this.id = id;
  }
}

/** Token bytes that are no UTF-8, decoded strictly. The text is the reference implementation's. */
export class InvalidUtf8Error extends HarmonyError {
  constructor(options?: ErrorOptions) {
    super("CHORALE_INVALID_UTF8", "Invalid utf-8", options);
  }
}

/** A message that cannot be rendered. */
export class RenderError extends HarmonyError {
  constructor(message: string) {
    super("CHORALE_HARMONY_RENDER", message);
  }
}

/** JSON that is no conversation of the reference's wire form; `path` says where. */
export class ConversationError extends HarmonyError {
  readonly path: string;
  constructor(path: string, found: string, accepted: string) {
    super("CHORALE_HARMONY_CONVERSATION", `${path} is ${found}; accepted: ${accepted}`);
    this.path = path;
  }
}

/**
 * Harmony that the strict parser refuses. Texts are the reference implementation's, so that both can
 * be compared; the parser stays usable.
 */
export class HarmonyParseError extends HarmonyError {
  constructor(message: string) {
    super("CHORALE_HARMONY_PARSE", message);
  }
}
