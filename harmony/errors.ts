/**
 * What can go wrong between messages and token ids. Every class has a stable `code`; what a model
 * writes wrongly is no error here but an issue of the parser (see `issues.ts`).
 */

/** Base of all failures of this folder. */
export class HarmonyError extends Error {
  static readonly brand: string = "chorale.HarmonyError";
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    addBrands(this, new.target);
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

/** A class of errors that knows its own also where they come from another copy of the package. */
export type BrandedClass<T> = (abstract new (...args: never[]) => T) & { readonly brand: string };

function isBranded<T>(one: BrandedClass<T>, error: unknown): error is T {
  // A class of a program's own, derived from one here, is known by itself only.
  if (!Object.hasOwn(one, "brand")) return error instanceof one;
  return typeof error === "object" && error !== null && Symbol.for(one.brand) in error;
}

/** A vocabulary file or a `tokenizer.json` that cannot be used. */
export class VocabularyError extends HarmonyError {
  static override readonly brand: string = "chorale.VocabularyError";
  constructor(message: string, options?: ErrorOptions) {
    super("CHORALE_VOCABULARY", message, options);
  }
}

/** An id that the vocabulary does not have. The text is the reference implementation's. */
export class UnknownTokenError extends HarmonyError {
  static override readonly brand: string = "chorale.UnknownTokenError";
  readonly id: number;
  constructor(id: number) {
    super("CHORALE_UNKNOWN_TOKEN", `Invalid token for decoding: ${id}`);
    this.id = id;
  }
}

/** Token bytes that are no UTF-8, decoded strictly. The text is the reference implementation's. */
export class InvalidUtf8Error extends HarmonyError {
  static override readonly brand: string = "chorale.InvalidUtf8Error";
  constructor(options?: ErrorOptions) {
    super("CHORALE_INVALID_UTF8", "Invalid utf-8", options);
  }
}

/** A message that cannot be rendered. */
export class RenderError extends HarmonyError {
  static override readonly brand: string = "chorale.RenderError";
  constructor(message: string) {
    super("CHORALE_HARMONY_RENDER", message);
  }
}

/** JSON that is no conversation of the reference's wire form; `path` says where. */
export class ConversationError extends HarmonyError {
  static override readonly brand: string = "chorale.ConversationError";
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
  static override readonly brand: string = "chorale.HarmonyParseError";
  constructor(message: string) {
    super("CHORALE_HARMONY_PARSE", message);
  }
}
