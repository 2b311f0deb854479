/**
 * The only way to the remote model. What goes out is made of pieces with labels; the gate redacts them, shows them, and
 * notes every byte. A request with a text that was not made here is not sent: where the gate does not know what it
 * is, nothing leaves.
 */
import { createHash } from "node:crypto";
import type { LanguageModel, ModelEvent, ModelRequest, ModelStep } from "../index.ts";
import { MinionsError } from "./errors.ts";
import type { Redactor } from "./redaction.ts";

/** `protocol`: text of this program, the same for everyone. `supervisor`: what the remote model itself wrote before. */
export type EgressLabel = "protocol" | "question" | "worker" | "citation" | "supervisor";

/** Characters of a context document. */
export type SourceRange = {
  readonly document: string;
  /** In UTF-16 units of the text, the end excluded. */
  readonly from: number;
  readonly to: number;
};

export type Piece = {
  readonly label: EgressLabel;
  readonly text: string;
  /** Which part of the context the text repeats. */
  readonly source?: SourceRange | undefined;
};

export type EgressRange = {
  readonly label: EgressLabel;
  /** In bytes of UTF-8 of all texts of the request, one behind the other; the end excluded. */
  readonly from: number;
  readonly to: number;
  readonly source?: SourceRange | undefined;
  /** Values that were replaced, by their label. */
  readonly redactions?: Readonly<Record<string, number>> | undefined;
};

/** One request that left, or in a dry run the one that would have. */
export type EgressRecord = {
  readonly request: number;
  /** Whom it went to. */
  readonly to: string;
  readonly bytes: number;
  /** Of those bytes. */
  readonly sha256: string;
  readonly ranges: readonly EgressRange[];
};

/** A record with its text, to be shown before it is sent. */
export type Departure = EgressRecord & { readonly text: string };

export type GateOptions = {
  readonly remote: LanguageModel;
  readonly redactor: Redactor;
  /** Most tokens that the remote model reads and writes in all requests. */
  readonly budget: number;
  /** Nothing is sent: the first request ends the run. */
  readonly dryRun: boolean;
  /** Gets each request before it is sent. False, or an error: it is not sent. */
  readonly onEgress?: ((departure: Departure) => boolean | Promise<boolean>) | undefined;
};

/** A text that may leave, and what it is made of. */
type Passed = {
  readonly text: string;
  readonly pieces: readonly (Omit<EgressRange, "from" | "to"> & { readonly text: string })[];
};

/** The first request of a dry run was shown. */
export class DryRunEnd extends Error {}

export class EgressGate implements LanguageModel {
  readonly name: string;
  readonly contextLength: number;
  readonly sampling: LanguageModel["sampling"];
  readonly vocabulary: string | null;
  /** Every request so far. */
  readonly records: EgressRecord[] = [];
  /** Why a request was not sent or failed, as long as the caller has not asked for it. */
  refusal: unknown;
  readonly usage = { calls: 0, inputTokens: 0, outputTokens: 0, milliseconds: 0 };
  readonly #options: GateOptions;
  readonly #passed = new Map<string, Passed>();
  readonly #fixed = new Set<string>();
  readonly #written = new Set<string>();
  /** Tokens of one request and its reply, at most. */
  #largestRequest = 0;

  constructor(options: GateOptions) {
    const { remote } = options;
    this.#options = options;
    this.name = remote.name;
    this.contextLength = remote.contextLength;
    this.sampling = remote.sampling;
    this.vocabulary = remote.vocabulary;
  }

  /** Tokens that may still be used. */
  get tokensLeft(): number {
    return this.#options.budget - this.usage.inputTokens - this.usage.outputTokens;
  }

  /** Whether a request and another round of two behind it are likely to be within the budget. */
  get hasTokensForRound(): boolean {
    return this.tokensLeft > 3 * this.#largestRequest;
  }

  /** A text of this program that is sent as instructions. */
  allow(text: string): string {
    this.#fixed.add(text);
    return text;
  }

  /** Makes a text that may leave. @returns it as it will be sent */
  pass(pieces: readonly Piece[]): string {
    const redacted = pieces.map(({ label, text, source }) => {
      if (label === "protocol") return { label, text };
      const { text: left, redactions } = this.#options.redactor.redact(text);
      const isChanged = Object.keys(redactions).length > 0;
      return { label, text: left, source, ...(isChanged && { redactions }) };
    });
    const text = redacted.map((piece) => piece.text).join("");
    this.#passed.set(text, { text, pieces: redacted });
    return text;
  }

  async sample(
    request: ModelRequest,
    onEvent: (event: ModelEvent) => void | Promise<void>,
  ): Promise<ModelStep> {
    const { remote } = this.#options;
    try {
      const departure = this.#departureOf(request);
      const left = this.tokensLeft - remote.promptTokens(request);
      if (left <= 0) {
        throw new MinionsError(
          "CHORALE_MINIONS_BUDGET",
          `The next request has ${remote.promptTokens(request)} tokens, and ${Math.max(0, this.tokensLeft)} of the ` +
            `${this.#options.budget} tokens for ${this.name} are left.`,
        );
      }
      const isAllowed = (await this.#options.onEgress?.(departure)) ?? true;
      const { text: _, ...record } = departure;
      if (this.#options.dryRun) {
        this.records.push(record);
        throw new DryRunEnd("Nothing was sent.");
      }
      if (!isAllowed) {
        throw new MinionsError(
          "CHORALE_MINIONS_EGRESS",
          `The request to ${this.name} was not allowed; it was not sent.`,
        );
      }
      this.records.push(record);
      return await this.#send(request, left, onEvent);
    } catch (error) {
      this.refusal = error;
      throw error;
    }
  }

  promptTokens(request: Pick<ModelRequest, "settings" | "tools" | "transcript">): number {
    return this.#options.remote.promptTokens(request);
  }

  countTokens(text: string): number {
    return this.#options.remote.countTokens(text);
  }

  release(threadId: string): Promise<void> {
    return this.#options.remote.release(threadId);
  }

  /** The remote model is its caller's. */
  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  async #send(
    request: ModelRequest,
    left: number,
    onEvent: (event: ModelEvent) => void | Promise<void>,
  ): Promise<ModelStep> {
    const startedAt = performance.now();
    const maxTokens = Math.min(left, request.maxTokens ?? left);
    const step = await this.#options.remote.sample({ ...request, maxTokens }, (event) => {
      if (event.type === "message_ended") this.#written.add(event.message.text);
      return onEvent(event);
    });
    this.usage.calls++;
    this.usage.inputTokens += step.usage.inputTokens;
    this.usage.outputTokens += step.usage.outputTokens;
    this.usage.milliseconds += performance.now() - startedAt;
    const { inputTokens, outputTokens } = step.usage;
    this.#largestRequest = Math.max(this.#largestRequest, inputTokens + outputTokens);
    if (step.error !== undefined) this.refusal = step.error;
    return step;
  }

  /** @throws MinionsError where the request has something in it that was not made here, or that is private */
  #departureOf({ settings, transcript }: ModelRequest): Departure {
    const { identity } = settings.system;
    const pieces: Passed["pieces"][number][] = [identity ?? "", settings.instructions ?? ""].map(
      (text) => {
        if (text !== "" && !this.#fixed.has(text)) throw this.#unknownText();
        return { label: "protocol", text };
      },
    );
    for (const { message } of transcript) {
      const text = message.content
        .map((part) => (part.type === "text" ? part.text : null))
        .join("");
      const passed = this.#passed.get(text);
      if (message.content.some(({ type }) => type !== "text")) throw this.#unknownText();
      if (message.role === "user" && passed !== undefined) pieces.push(...passed.pieces);
      else if (message.role === "assistant" && this.#written.has(text)) {
        pieces.push({ label: "supervisor", text });
      } else throw this.#unknownText();
    }
    const text = pieces.map((piece) => piece.text).join("");
    if (this.#options.redactor.hasPrivate(text)) {
      throw new MinionsError(
        "CHORALE_MINIONS_EGRESS",
        `A request to ${this.name} has a private value in it; it was not sent.`,
      );
    }
    let at = 0;
    const ranges = pieces.flatMap(({ text: part, ...piece }): EgressRange[] => {
      const from = at;
      at += Buffer.byteLength(part);
      return at === from ? [] : [{ ...piece, from, to: at }];
    });
    const request = this.records.length + 1;
    const sha256 = createHash("sha256").update(text).digest("hex");
    return { request, to: this.name, bytes: at, sha256, ranges, text };
  }

  #unknownText(): MinionsError {
    return new MinionsError(
      "CHORALE_MINIONS_EGRESS",
      `A request to ${this.name} has a text in it whose origin is not known; it was not sent.`,
    );
  }
}
