/** An engine that plays what a scripted model says, as the area `loop` defines it. */
import type { Tokenizer } from "../../harmony/index.ts";
import type { FinishReason, GenerateOptions, Session, TokenEngine } from "../../inference/index.ts";

const DONE = "<|channel|>final<|message|>DONE.<|return|>";

export class PlayedEngine implements TokenEngine {
  readonly name = "played";
  readonly vocabSize = 201_088;
  readonly contextLength = 131_072;
  readonly capabilities: TokenEngine["capabilities"];
  /** The prompt of each step, as text with special tokens written out. */
  readonly prompts: string[] = [];
  readonly #tokenizer: Tokenizer;
  #texts: string[] = [];

  constructor(tokenizer: Tokenizer, canBan: boolean) {
    this.#tokenizer = tokenizer;
    this.capabilities = { rewind: true, matchers: canBan };
  }

  /** The texts of the next run; what is left of the last one is dropped. */
  script(texts: readonly string[]): void {
    this.#texts = [...texts];
  }

  async createSession(): Promise<Session> {
    return new PlayedSession(this, this.#tokenizer);
  }

  async close(): Promise<void> {}

  /**
   * Ids of the next text where `begun` stands already behind the last `<|start|>assistant`.
   * @param isNewStep false where a mask keeps the model from going on with a text
   */
  next(tokens: readonly number[], isNewStep: boolean): number[] {
    const { special, size } = this.#tokenizer;
    if (isNewStep) this.prompts.push(this.#tokenizer.decode(tokens.filter((id) => id < size)));
    const begin = [special.start, ...this.#tokenizer.encode("assistant")];
    const begun = behindLast(tokens, begin);
    const ended = [special.end, special.return, special.call];
    if (begun === null || ended.some((id) => begun.includes(id))) {
      return [...begin, ...this.#take()];
    }
    if (begun.length === 0) return this.#take();
    const [text] = this.#texts;
    const ids = this.#tokenizer.encodeWithSpecials(text ?? DONE);
    if (begun.every((id, at) => ids[at] === id)) {
      this.#texts.shift();
      return ids.slice(begun.length);
    }
    if (!begun.includes(special.message)) return this.#take();
    return this.#tokenizer.encodeWithSpecials("DONE.<|return|>");
  }

  #take(): number[] {
    return this.#tokenizer.encodeWithSpecials(this.#texts.shift() ?? DONE);
  }
}

/** What stands behind the last occurrence of a sequence; null where there is none. */
function behindLast(tokens: readonly number[], sequence: readonly number[]): number[] | null {
  for (let at = tokens.length - sequence.length; at >= 0; at--) {
    if (sequence.every((id, offset) => tokens[at + offset] === id)) {
      return tokens.slice(at + sequence.length);
    }
  }
  return null;
}

class PlayedSession implements Session {
  #tokens: number[] = [];
  /** What is left of the text that is being played, and the timeline where it was left. */
  #rest: number[] = [];
  #leftAt: readonly number[] = [];
  readonly #engine: PlayedEngine;
  readonly #tokenizer: Tokenizer;

  constructor(engine: PlayedEngine, tokenizer: Tokenizer) {
    this.#engine = engine;
    this.#tokenizer = tokenizer;
  }

  get tokens(): readonly number[] {
    return this.#tokens;
  }

  async sync(tokens: readonly number[]): Promise<{ reused: number; computed: number }> {
    this.#tokens = [...tokens];
    return { reused: 0, computed: tokens.length };
  }

  async *generate(options: GenerateOptions): AsyncGenerator<number, FinishReason, void> {
    const goesOn =
      this.#rest.length > 0 &&
      this.#leftAt.length === this.#tokens.length &&
      this.#leftAt.every((id, at) => id === this.#tokens[at]);
    if (!goesOn) this.#rest = this.#engine.next(this.#tokens, true);
    for (let sampled = 0; this.#rest.length > 0; sampled++) {
      if (sampled >= options.maxTokens) return "length";
      options.signal?.throwIfAborted();
      const id = this.#allowed(options);
      options.matcher?.accept(id);
      this.#tokens.push(id);
      this.#leftAt = [...this.#tokens];
      yield id;
      if (options.stopIds.has(id)) {
        this.#rest = [];
        return "stop";
      }
    }
    return "length";
  }

  /** The next id of the text; where the mask forbids it, the model goes on with the next text. */
  #allowed({ matcher }: GenerateOptions): number {
    const mask = matcher?.mask() ?? null;
    const isAllowed = (id: number): boolean =>
      mask === null || ((mask[id >>> 5] ?? 0) & (1 << (id & 31))) !== 0;
    const id = this.#rest.shift() as number;
    if (isAllowed(id)) return id;
    this.#rest = this.#engine.next(this.#tokens, false);
    const other = this.#rest.shift() as number;
    if (isAllowed(other)) return other;
    this.#rest = this.#tokenizer.encodeWithSpecials(DONE);
    const first = this.#rest.shift() as number;
    if (isAllowed(first)) return first;
    return mask?.reduce((found, word, at) => {
      return found >= 0 || word === 0 ? found : at * 32 + (31 - Math.clz32(word & -word));
    }, -1) as number;
  }

  rewind(length: number): void {
    this.#tokens.length = length;
  }

  async close(): Promise<void> {}
}
