/**
 * Thoughts of turns that are not answered yet. gpt-oss needs the analysis before a call once more when it reads
 * the result, and many clients send the result without it: what was thought before a call is found again by the
 * id of the call, or, where a client has replaced ids, by the conversation before it, its name and arguments.
 */
import { createHash } from "node:crypto";

/** What stood before a call in the message of the model. */
export type RememberedCall = {
  readonly reasoning: string;
  /** The arguments as the model wrote them: rendered alike, the KV cache holds for them. */
  readonly arguments: string;
  /** The content type that the model gave them; null: none. */
  readonly contentType: string | null;
};

export type ReasoningMemoryOptions = {
  /** Calls that are remembered at most. Default 4,096. */
  readonly maxCalls?: number;
  /** Characters of their thoughts and arguments at most. Default 16 Mi. */
  readonly maxCharacters?: number;
};

export class ReasoningMemory {
  readonly #maxCalls: number;
  readonly #maxCharacters: number;
  /** The call that was remembered or found last comes last. */
  readonly #calls = new Map<string, RememberedCall & { readonly place: string }>();
  /** By place: the id. */
  readonly #places = new Map<string, string>();
  #characters = 0;

  constructor({ maxCalls = 4096, maxCharacters = 1 << 24 }: ReasoningMemoryOptions = {}) {
    this.#maxCalls = maxCalls;
    this.#maxCharacters = maxCharacters;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** @param place see `placeOf` */
  remember(callId: string, place: string, call: RememberedCall): void {
    this.#forget(callId);
    this.#calls.set(callId, { ...call, place });
    this.#places.set(place, callId);
    this.#characters += sizeOf(call);
    while (this.#calls.size > this.#maxCalls || this.#characters > this.#maxCharacters) {
      this.#forget(this.#calls.keys().next().value as string);
    }
  }

  /** By the id, or by the place where no call has the id. */
  recall(callId: string | null | undefined, place: string): RememberedCall | null {
    const id = callId && this.#calls.has(callId) ? callId : this.#places.get(place);
    const call = id === undefined ? undefined : this.#calls.get(id);
    if (id === undefined || call === undefined) return null;
    this.#calls.delete(id);
    this.#calls.set(id, call);
    return call;
  }

  #forget(callId: string): void {
    const call = this.#calls.get(callId);
    if (call === undefined) return;
    this.#calls.delete(callId);
    if (this.#places.get(call.place) === callId) this.#places.delete(call.place);
    this.#characters -= sizeOf(call);
  }
}

function sizeOf({ reasoning, arguments: args }: RememberedCall): number {
  return reasoning.length + args.length;
}

/**
 * A fingerprint of everything said before a call that clients send back unchanged: what users, systems and tools
 * said, and earlier calls. Grows by one part at a time.
 */
export class ConversationHash {
  #hash = "";

  add(...parts: readonly string[]): void {
    this.#hash = digest([this.#hash, ...parts]);
  }

  /** Of a call that comes next. */
  placeOf(name: string, args: string): string {
    return digest([this.#hash, "call", name, canonicalArguments(args)]);
  }
}

function digest(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64");
}

/** JSON with its keys in order and without spaces; any other text as it is. */
function canonicalArguments(text: string): string {
  try {
    return JSON.stringify(sorted(JSON.parse(text), 0));
  } catch {
    return text;
  }
}

/** Deeper values are taken as they are: no arguments are so deep, and a stack is not endless. */
const MAX_DEPTH = 200;

function sorted(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return value;
  if (Array.isArray(value)) return value.map((item) => sorted(item, depth + 1));
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  // Pairs, since a key may be called __proto__.
  return ["object", ...entries.map(([key, held]) => [key, sorted(held, depth + 1)])];
}
