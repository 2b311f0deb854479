/**
 * The conversation as the model reads it. Each message keeps its token ids: what the model sampled
 * stays exactly as sampled, so that the next prompt begins with what the session already holds and
 * only the new tokens are computed. Within a run nothing is dropped or rewritten.
 */
import type { Message, Tokenizer } from "../harmony/index.ts";
import type { Generation } from "./generate.ts";

export type Prompt = {
  readonly ids: readonly number[];
  /** What `ids` ends with beyond `<|start|>assistant`: words put into the model's mouth. */
  readonly forcedHeader: readonly number[];
};

type Entry = { readonly message: Message; readonly ids: readonly number[] };

export class Transcript {
  readonly #entries: Entry[] = [];
  readonly #tokenizer: Tokenizer;
  readonly #render: (message: Message) => readonly number[];
  #answered = false;
  /** What every prompt ends with: `<|start|>assistant`. */
  readonly #assistantStart: readonly number[];

  /** @param render token ids of one whole message, from `<|start|>` to its terminator */
  constructor(tokenizer: Tokenizer, render: (message: Message) => readonly number[]) {
    this.#tokenizer = tokenizer;
    this.#render = render;
    this.#assistantStart = [tokenizer.special.start, ...tokenizer.encode("assistant")];
  }

  /** What was said, without the system and the developer message. */
  get conversation(): readonly Message[] {
    return this.#entries
      .map(({ message }) => message)
      .filter(({ role }) => role !== "system" && role !== "developer");
  }

  /** Tokens of everything so far. */
  get tokenCount(): number {
    return this.#entries.reduce((sum, { ids }) => sum + ids.length, 0);
  }

  /** The model has spoken in this run. */
  get answered(): boolean {
    return this.#answered;
  }

  append(message: Message): void {
    this.#entries.push({ message, ids: this.#render(message) });
  }

  /**
   * Adds what the model said. Without flaws it is kept as sampled, except that `<|return|>` becomes
   * `<|end|>`, as the format wants it in a history. Damaged output is rendered anew from what was
   * understood of it, so that the model does not read its own mistakes as examples.
   */
  appendGenerated(generation: Generation): void {
    this.#answered = true;
    const { end, return: returnId } = this.#tokenizer.special;
    generation.messages.forEach(({ message, sampledIds }, index) => {
      const ids = generation.clean
        ? // The prompt already held the beginning of the first message.
          [...(index === 0 ? this.#assistantStart : []), ...sampledIds].map((id) =>
            id === returnId ? end : id,
          )
        : this.#render(message);
      this.#entries.push({ message, ids });
    });
  }

  /**
   * Everything so far, and the beginning of the assistant's next message.
   * @param forceAnswer the beginning includes the header of a final message
   */
  prompt(forceAnswer = false): Prompt {
    const { channel, message } = this.#tokenizer.special;
    const forcedHeader = forceAnswer ? [channel, ...this.#tokenizer.encode("final"), message] : [];
    const soFar = this.#entries.flatMap(({ ids }) => ids);
    return { ids: [...soFar, ...this.#assistantStart, ...forcedHeader], forcedHeader };
  }
}
