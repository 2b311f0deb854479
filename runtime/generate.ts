/**
 * One sampling of the model: prompt ids in, parsed messages out. Tokens go through the streaming
 * parser one by one, and what it recognises is reported while it is being written.
 */
import type { Issue, ParsedMessage, ParserEvent, Tokenizer } from "../harmony/index.ts";
import { HarmonyParser } from "../harmony/index.ts";
import { abandon } from "./dispatch.ts";
import { completedItem, itemOf } from "./items.ts";
import type { Run } from "./prepare.ts";
import { ReasoningBudget } from "./reasoning-budget.ts";
import type { GenerationFigures } from "./reporter.ts";
import { CarefulSampling } from "./resample.ts";
import type { Prompt } from "./transcript.ts";

export type GeneratedMessage = {
  readonly message: ParsedMessage;
  /** Its ids as sampled (and forced), to its terminator; the first lacks the prompt's `<|start|>assistant`. */
  readonly sampledIds: readonly number[];
  /** The item under which it was reported. */
  readonly itemId: string;
};

export type FinishReason = "stop" | "call" | "length" | "context";

export type Generation = {
  readonly messages: readonly GeneratedMessage[];
  /** Deviations from the format, in order. */
  readonly issues: readonly Issue[];
  /** Everything sampled is in `messages`, and as the format wants it. */
  readonly clean: boolean;
  /** Those that were taken back included. */
  readonly sampledTokens: number;
  /** `length` and `context`: the model was cut off. */
  readonly finishReason: FinishReason;
};

/**
 * Samples until the model has addressed a tool, given its answer, stopped, or was cut off.
 * @throws InferenceError; the signal's reason when aborted
 */
export async function generate(run: Run, prompt: Prompt, maxTokens: number): Promise<Generation> {
  const { session, reporter } = run;
  const { signal } = run.settings;
  const startedAt = performance.now();
  const { reused } = await session.sync(prompt.ids, {
    signal,
    sharedPrefix: run.openingTokens,
  });
  const syncedAt = performance.now();

  const reader = new Reader(run);
  const sampling = new CarefulSampling(run);
  for (const id of prompt.forcedHeader) {
    sampling.observe(id);
    await reader.push(id);
  }
  const budget = new ReasoningBudget(run.options.tokenizer, run.settings.maxReasoningTokens);
  let sampledTokens = 0;
  const figures = (): GenerationFigures => ({
    inputTokens: prompt.ids.length,
    cachedTokens: reused,
    outputTokens: sampledTokens + sampling.takenBack,
    resampledTokens: sampling.takenBack,
    reasoningTokens: reader.reasoningTokens,
    prefillMs: syncedAt - startedAt,
    decodeMs: performance.now() - syncedAt,
  });
  let finishReason: FinishReason | null = null;
  const stopIds = stopIdsOf(run.options.tokenizer);
  let ids = sampling.sample(maxTokens, stopIds);
  let isRead = false;
  try {
    while (finishReason === null) {
      const next = await ids.next();
      if (next.done) {
        finishReason = next.value;
        break;
      }
      sampledTokens++;
      reporter.tokenSampled();
      if (reader.isReasoning) budget.take();
      await reader.push(next.value);
      if (reader.turnEnded) finishReason = "stop";
      else if (reader.isReasoning && budget.isUsedUp) {
        const forced = budget.close();
        // In a context without room for them, generating says that it is full.
        if (session.tokens.length + forced.length >= run.options.engine.contextLength) continue;
        await ids.return("stop");
        await session.sync([...session.tokens, ...forced], { signal });
        for (const id of forced) {
          sampling.observe(id);
          await reader.push(id);
        }
        const { limit } = budget;
        await reporter.emit({ type: "generation.reasoning_limited", limit, forced_ids: forced });
        ids = sampling.sample(maxTokens - sampledTokens - sampling.takenBack, stopIds);
      }
    }
    signal.throwIfAborted();
    isRead = true;
  } finally {
    await ids.return("stop");
    // What was computed counts, whatever ended it.
    if (!isRead) reporter.count(figures());
  }
  await reader.finish();
  if (finishReason === "stop" && reader.calls.length > 0) finishReason = "call";
  // The limit is the room in the context wherever that is less than what may be generated.
  const room = run.options.engine.contextLength - prompt.ids.length;
  if (finishReason === "length" && maxTokens >= room) finishReason = "context";
  await reporter.generationCompleted({ ...figures(), finishReason });
  if (finishReason === "length" || finishReason === "context") {
    for (const call of reader.calls) await abandon(call, "the call was cut off.", run);
  }
  const { messages, issues, clean } = reader;
  sampledTokens += sampling.takenBack;
  return { messages, issues, clean, sampledTokens, finishReason };
}

/** Not `<|end|>`: after its analysis the model goes on. */
function stopIdsOf({ special }: Tokenizer): ReadonlySet<number> {
  const ids = [special.call, special.return];
  return new Set(special.endOfText === null ? ids : [...ids, special.endOfText]);
}

/** Collects the messages of one sampling and reports them. */
class Reader {
  readonly messages: GeneratedMessage[] = [];
  readonly issues: Issue[] = [];
  reasoningTokens = 0;
  readonly #run: Run;
  readonly #parser: HarmonyParser;
  /** Ids since the end of the last message. */
  #ids: number[] = [];
  /** The item of the message that is being written. */
  #openItem: string | null = null;
  #foreign = false;
  #isReasoning = false;

  constructor(run: Run) {
    this.#run = run;
    this.#parser = new HarmonyParser({
      tokenizer: run.options.tokenizer,
      role: "assistant",
      knownTools: run.tools.list().map(({ recipient }) => recipient),
    });
  }

  /** A call or an answer is complete: whatever the model would add is not wanted. */
  get turnEnded(): boolean {
    const last = this.messages.at(-1)?.message;
    return last !== undefined && (Boolean(last.recipient) || last.channel === "final");
  }

  /** The next token is content of an analysis message, or ends it. */
  get isReasoning(): boolean {
    return this.#isReasoning;
  }

  get calls(): readonly GeneratedMessage[] {
    return this.messages.filter(({ message }) => message.recipient);
  }

  get clean(): boolean {
    return this.issues.length === 0 && !this.#foreign && this.messages.every(endsAsItShould);
  }

  async push(id: number): Promise<void> {
    this.#ids.push(id);
    for (const event of this.#parser.push(id)) await this.#take(event);
  }

  /** Ends the reading; what was wrong outside of any message is said here, in the messages there. */
  async finish(): Promise<void> {
    for (const event of this.#parser.finish()) await this.#take(event);
    const inMessages = new Set(this.messages.flatMap(({ message }) => message.issues));
    for (const issue of this.issues) {
      if (inMessages.has(issue)) continue;
      const lost = issue.dropped ? ` (dropped: ${issue.dropped})` : "";
      await this.#run.reporter.problem(issue.code, `${issue.detail}${lost}`);
    }
  }

  async #take(event: ParserEvent): Promise<void> {
    const { reporter, tools } = this.#run;
    switch (event.type) {
      case "message-start": {
        this.#isReasoning = event.header.channel === "analysis" && !event.header.recipient;
        if (event.header.role !== "assistant") break;
        const id = reporter.nextItemId();
        this.#openItem = id;
        await reporter.emit({
          type: "item.started",
          item: itemOf(id, event.header, "", [], tools),
        });
        break;
      }
      case "delta":
        if (this.#openItem !== null) {
          await reporter.emit({
            type: "item.delta",
            item_id: this.#openItem,
            channel: event.channel,
            text: event.text,
          });
        }
        break;
      case "message-end":
        await this.#messageEnded(event.message);
        break;
      case "issue":
        this.issues.push(event.issue);
        break;
    }
  }

  async #messageEnded(message: ParsedMessage): Promise<void> {
    const { reporter, tools } = this.#run;
    this.#isReasoning = false;
    const sampledIds = this.#ids;
    this.#ids = [];
    if (message.role !== "assistant") {
      // Only the assistant speaks here: a message in another's name would pass for that one's later.
      this.#foreign = true;
      await reporter.problem(
        "foreign_role",
        `The model wrote a message in the name of ${message.name ?? message.role}; it was dropped: ${message.text}`,
      );
      return;
    }
    if (message.channel === "analysis" && !message.recipient) {
      this.reasoningTokens += sampledIds.length;
    }
    const itemId = this.#openItem ?? reporter.nextItemId();
    this.#openItem = null;
    this.messages.push({ message, sampledIds, itemId });
    // A call is completed by its result, see dispatch.ts.
    if (!message.recipient) {
      const item = completedItem(itemId, message, tools);
      await reporter.emit({ type: "item.completed", item });
    }
  }
}

function endsAsItShould({ message }: GeneratedMessage): boolean {
  return message.recipient
    ? message.terminator === "call"
    : message.terminator === "end" || message.terminator === "return";
}
