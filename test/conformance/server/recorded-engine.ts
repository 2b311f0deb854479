/** An engine that says what a recorded answer says, in Harmony, token by token; and fails where that did. */
import type { Tokenizer } from "../../../harmony/index.ts";
import type {
  FinishReason,
  GenerateOptions,
  Session,
  TokenEngine,
} from "../../../inference/index.ts";
import { RunError } from "../../../runtime/index.ts";
import type { Answer, AnswerItem } from "./answer.ts";

/** What one generation says. */
type Reply = { readonly ids: readonly number[]; readonly fails: boolean };

export class RecordedEngine implements TokenEngine {
  readonly name = "recorded";
  readonly vocabSize = 201_088;
  readonly contextLength = 131_072;
  capabilities: TokenEngine["capabilities"] = { rewind: true, matchers: true };
  /** The prompt of each generation, as text with special tokens written out. */
  readonly prompts: string[] = [];
  readonly #tokenizer: Tokenizer;
  #replies: Reply[] = [];
  /** What generations wait for before they say anything. */
  #gate: Promise<void> = Promise.resolve();
  #onAsked = (): void => {};

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /**
   * The generations of the next request; what is left of the last one is dropped.
   * @param answer null: the model is not to be asked
   * @param recipientOf what the model addresses for a tool of the request
   * @param options whether the model is kept to grammars; whether it completes a text instead of a conversation
   */
  play(
    answer: Answer | null,
    recipientOf: (call: AnswerItem & { type: "call" }) => string,
    {
      isKept = true,
      isCompletion = false,
    }: { readonly isKept?: boolean; readonly isCompletion?: boolean } = {},
  ): void {
    this.capabilities = { rewind: true, matchers: isKept };
    const tokenizer = this.#tokenizer;
    const steps =
      answer === null
        ? []
        : isCompletion
          ? completionOf(answer, tokenizer)
          : generationsOf(answer, recipientOf, tokenizer);
    this.#replies = steps.map((ids, at) => ({
      ids,
      fails: answer?.end === "failed" && at === steps.length - 1,
    }));
  }

  /** Generations that were not asked for. */
  get remaining(): number {
    return this.#replies.length;
  }

  /** Generations wait until `open` is called; `asked` resolves when one does. */
  hold(): { readonly asked: Promise<void>; readonly open: () => void } {
    const gate = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    this.#gate = gate.promise;
    this.#onAsked = asked.resolve;
    const open = (): void => {
      this.#gate = Promise.resolve();
      gate.resolve();
    };
    return { asked: asked.promise, open };
  }

  async createSession(): Promise<Session> {
    return new RecordedSession((tokens) => this.#next(tokens));
  }

  async close(): Promise<void> {}

  async #next(tokens: readonly number[]): Promise<Reply> {
    this.prompts.push(this.#tokenizer.decode(tokens));
    this.#onAsked();
    await this.#gate;
    const reply = this.#replies.shift();
    if (reply !== undefined) return reply;
    throw new RunError("CHORALE_MODEL", "The recorded answer has fewer steps than were asked for.");
  }
}

class RecordedSession implements Session {
  #tokens: number[] = [];
  readonly #next: (tokens: readonly number[]) => Promise<Reply>;

  constructor(next: (tokens: readonly number[]) => Promise<Reply>) {
    this.#next = next;
  }

  get tokens(): readonly number[] {
    return this.#tokens;
  }

  async sync(tokens: readonly number[]): Promise<{ reused: number; computed: number }> {
    const differs = tokens.findIndex((id, at) => id !== this.#tokens[at]);
    const reused = differs < 0 ? tokens.length : differs;
    this.#tokens = [...tokens];
    return { reused, computed: tokens.length - reused };
  }

  async *generate(options: GenerateOptions): AsyncGenerator<number, FinishReason, void> {
    const { signal, matcher, maxTokens, stopIds } = options;
    const aborted = new Promise<never>((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    const { ids, fails } = await Promise.race([this.#next(this.#tokens), aborted]);
    for (const [at, id] of ids.entries()) {
      // What reads the connection gets its turn between two tokens, as it does with a model.
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
      if (at >= maxTokens) return "length";
      const mask = matcher?.mask() ?? null;
      if (mask !== null && ((mask[id >>> 5] ?? 0) & (1 << (id & 31))) === 0) {
        throw new RunError(
          "CHORALE_MODEL",
          `The recorded answer says what may not be said: ${id}.`,
        );
      }
      matcher?.accept(id);
      this.#tokens.push(id);
      yield id;
      if (stopIds.has(id)) return "stop";
    }
    if (fails) throw new RunError("CHORALE_MODEL", "engine failed");
    return "length";
  }

  rewind(length: number): void {
    this.#tokens.length = length;
  }

  async close(): Promise<void> {}
}

const NEXT = "<|start|>assistant";

/** Ids of a message: what is markup, and what somebody said, which never is. */
type Say = (header: string, said: string, terminator: string) => void;

/** The generations that come to an answer: one, and one more behind each call that the server carries out. */
function generationsOf(
  { items, end }: Answer,
  recipientOf: (call: AnswerItem & { type: "call" }) => string,
  tokenizer: Tokenizer,
): readonly (readonly number[])[] {
  const steps: number[][] = [];
  let step: number[] = [];
  const say: Say = (header, said, terminator) => {
    const begin = `${step.length === 0 ? "" : NEXT}<|channel|>${header}<|message|>`;
    step.push(
      ...tokenizer.encodeWithSpecials(begin),
      ...tokenizer.encode(said),
      ...tokenizer.encodeWithSpecials(terminator),
    );
  };
  const call = (recipient: string, body: string): void => {
    say(`analysis to=${recipient} code`, body, "<|call|>");
    steps.push(step);
    step = [];
  };
  for (const [at, item] of items.entries()) {
    const isLast = at === items.length - 1;
    switch (item.type) {
      case "reasoning":
        say("analysis", item.text, "<|end|>");
        break;
      case "message": {
        const isFinal = !items.slice(at + 1).some(({ type }) => type !== "reasoning");
        const isCited = item.citations > 0;
        // Only what was opened can be cited.
        if (isCited) call("browser.open", '{"id":0}');
        say(
          isFinal ? "final" : "commentary",
          item.text + (isCited ? "【1†L0】" : ""),
          !isFinal ? "<|end|>" : isLast && end === "stop" ? "<|return|>" : "",
        );
        break;
      }
      case "call":
        say(`commentary to=${recipientOf(item)} <|constrain|>json`, item.arguments, "<|call|>");
        break;
      case "search":
        call("browser.search", JSON.stringify({ query: queryOf(item.action) }));
        break;
      case "code":
        call("python", item.code);
        break;
    }
  }
  if (step.length > 0) steps.push(step);
  return steps;
}

/** A text behind a prompt that the client has rendered: no message, so no markup. */
function completionOf({ items }: Answer, tokenizer: Tokenizer): readonly (readonly number[])[] {
  const text = items.map((item) => (item.type === "message" ? item.text : "")).join("");
  return [[...tokenizer.encode(text), ...tokenizer.encodeWithSpecials("<|return|>")]];
}

function queryOf(action: unknown): string {
  const { query } = (action ?? {}) as { readonly query?: unknown };
  return typeof query === "string" ? query : "anything";
}
