/**
 * A model that does research by a fixed procedure, over another that answers small questions. The agent loop runs it
 * as any model: its calls pass the policy, its budgets count, its log can be resumed and replayed. What to search, what
 * to open and which lines say something are asked one by one, in forms that the other model cannot break; plan and
 * notes are kept here. Where it has no usable answer, there is one without it.
 */
import type { CitedSources } from "../citations/index.ts";
import type { ModelMessage, StepFinish, StepUsage } from "../context.ts";
import type {
  LanguageModel,
  ModelEvent,
  ModelRequest,
  ModelStep,
} from "../model/language-model.ts";
import type { TurnOptions } from "../options.ts";
import { type Asker, createAsker, type Left, plainText } from "./ask.ts";
import { compose } from "./compose.ts";
import { type Hit, hitsOf } from "./hits.ts";
import { type ResearchNote, takeNotes, withCitations } from "./notes.ts";

export type ResearchLimits = {
  /** Most searches of the plan. */
  readonly searches: number;
  /** Most pages that are opened for a search. */
  readonly pagesPerSearch: number;
  /** Most seconds; undefined: no limit. */
  readonly seconds: number | undefined;
};

export type ResearchProgress = {
  readonly searches: readonly string[];
  /** Titles of the pages that were read. */
  readonly pages: readonly string[];
  readonly notes: readonly ResearchNote[];
  /** Questions that the model was asked, and those without a usable answer. */
  readonly questions: number;
  readonly unanswered: number;
  /** Sentences of the answer that were left out, since their lines do not say them. */
  readonly leftOut: number;
};

type Action =
  | { readonly type: "search"; readonly query: string }
  | { readonly type: "open"; readonly cursor: number; readonly hit: Hit };

type Said = {
  readonly channel: "commentary" | "final";
  readonly recipient: string | null;
  readonly text: string;
};

export class ResearchModel implements LanguageModel {
  readonly name: string;
  /** Pages are read one at a time, so the whole conversation never has to fit. */
  readonly contextLength = 1_000_000;
  readonly sampling = {};
  readonly vocabulary = null;
  readonly #question: string;
  readonly #model: LanguageModel;
  readonly #limits: ResearchLimits;
  readonly #sources: () => CitedSources;
  readonly #asker: Asker;
  #request: Pick<ModelRequest, "signal" | "maxTokens"> = {
    signal: new AbortController().signal,
    maxTokens: null,
  };
  /** Tokens of all questions before this step. */
  #tokensBefore = 0;
  readonly #startedAt = performance.now();
  readonly #queue: Action[] = [];
  #last: Action | null = null;
  #cursorsBefore = 0;
  readonly #searches: string[] = [];
  readonly #opened = new Set<string>();
  /** Lines of pages that were read, by the hash of the page. */
  readonly #read = new Set<string>();
  readonly #pages: string[] = [];
  readonly #notes: ResearchNote[] = [];
  #isPlanned = false;
  #hasLookedAgain = false;
  #hasReadOneMore = false;
  #leftOut = 0;

  /** @param sources the pages that the calls of the thread have shown until now */
  constructor(
    model: LanguageModel,
    question: string,
    limits: ResearchLimits,
    sources: () => CitedSources,
    options: Pick<TurnOptions, "effort" | "sampling" | "date">,
  ) {
    this.name = model.name;
    this.#model = model;
    this.#question = question;
    this.#limits = limits;
    this.#sources = sources;
    this.#asker = createAsker(model, options, () => this.#left());
  }

  get progress(): ResearchProgress {
    const { questions, unanswered } = this.#asker.cost;
    return {
      searches: this.#searches,
      pages: this.#pages,
      notes: this.#notes,
      questions,
      unanswered,
      leftOut: this.#leftOut,
    };
  }

  async sample(
    request: ModelRequest,
    onEvent: (event: ModelEvent) => void | Promise<void>,
  ): Promise<ModelStep> {
    const startedAt = performance.now();
    const before = { ...this.#asker.cost };
    let finish: StepFinish = "stop";
    let error: unknown;
    this.#request = request;
    this.#tokensBefore = before.outputTokens;
    try {
      request.signal.throwIfAborted();
      for await (const message of this.#messages(request)) {
        await tell(message, onEvent);
        if (message.recipient !== null) finish = "call";
      }
    } catch (thrown) {
      error = thrown;
      finish = request.signal.aborted ? "cancelled" : "failed";
    }
    const { cost } = this.#asker;
    const usage: StepUsage = {
      inputTokens: cost.inputTokens - before.inputTokens,
      cachedTokens: cost.cachedTokens - before.cachedTokens,
      outputTokens: cost.outputTokens - before.outputTokens,
      reasoningTokens: cost.reasoningTokens - before.reasoningTokens,
    };
    const decodeMs = performance.now() - startedAt;
    return {
      ids: [],
      prefill: 0,
      vocabulary: null,
      issues: [],
      finish,
      usage,
      timing: { prefillMs: 0, decodeMs, firstTokenMs: null },
      ...(error !== undefined && { error }),
    };
  }

  /** Prompts of the questions are counted where they are asked. */
  promptTokens(): number {
    return 0;
  }

  countTokens(text: string): number {
    return this.#model.countTokens(text);
  }

  async release(): Promise<void> {}

  /** The model below belongs to the caller. */
  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  /** What is said in this step: notes, then a call, or the answer. */
  async *#messages(request: ModelRequest): AsyncGenerator<Said> {
    const isNear = isNearItsEnd(request);
    // Without a note, one more page is read.
    const isWorthOne = this.#notes.length === 0 && !this.#hasReadOneMore;
    const mustAnswer = request.prefill === "final" || (isNear && !isWorthOne);
    if (isNear && this.#queue[0]?.type === "open") this.#hasReadOneMore = true;
    if (!this.#isPlanned && !mustAnswer) yield commentary(await this.#plan());
    else if (this.#last !== null) {
      const notes = await this.#readLast(this.#last);
      this.#last = null;
      if (notes !== null) yield commentary(notes);
    }
    const next = mustAnswer ? null : await this.#next();
    if (next === null) {
      yield { channel: "final", recipient: null, text: await this.#answer() };
      return;
    }
    this.#last = next;
    this.#cursorsBefore = this.#sources().cursors.length;
    yield call(next);
  }

  /** @returns the plan in words */
  async #plan(): Promise<string> {
    const { searches } = this.#limits;
    this.#isPlanned = true;
    const value = await this.#asker.ask(
      `Question: ${this.#question}\n\nWhich short searches, each of a few words, find what is needed to answer it? ` +
        `At most ${searches}, the most important first.`,
      null,
      {
        type: "object",
        properties: {
          searches: { type: "array", minItems: 1, maxItems: searches, items: { type: "string" } },
        },
        required: ["searches"],
        additionalProperties: false,
      },
      300,
    );
    const { searches: written } = (value ?? {}) as { readonly searches?: unknown };
    const queries = (Array.isArray(written) ? written : [])
      .map((query) => plainText(query, 160))
      .filter((query) => query.length > 2);
    // The question itself is searched first: a plan may miss what it is about.
    const plan = distinct([plainText(this.#question, 300), ...queries]).slice(0, searches);
    this.#queue.push(...plan.map((query) => ({ type: "search", query }) as const));
    return `Plan:\n${plan.map((query, at) => `${at + 1}. search for ${query}`).join("\n")}`;
  }

  /** Reads what the last call has shown. @returns notes in words; null where there are none */
  async #readLast(action: Action): Promise<string | null> {
    const sources = this.#sources();
    const cursor = sources.cursors.at(-1);
    // A call that failed has shown nothing.
    if (cursor === undefined || sources.cursors.length === this.#cursorsBefore) return null;
    const page = sources.page(cursor);
    const lines = sources
      .shownLines(cursor)
      .filter((number) => !this.#read.has(`${page?.sha256}:${number}`))
      .map((number) => ({ number, text: sources.line(cursor, number) ?? "" }));
    for (const { number } of lines) this.#read.add(`${page?.sha256}:${number}`);
    if (action.type === "search") {
      this.#searches.push(action.query);
      const hits = await this.#chosen(action.query, hitsOf(lines.map(({ text }) => text)));
      this.#queue.unshift(...hits.map((hit) => ({ type: "open", cursor, hit }) as const));
      return null;
    }
    if (lines.length === 0) return null;
    const title = page?.title ?? action.hit.title;
    if (!this.#pages.includes(title)) this.#pages.push(title);
    const notes = await takeNotes(this.#question, cursor, lines, sources, this.#asker);
    const known = new Set(this.#notes.map(({ fact }) => fact));
    const fresh = notes.filter(({ fact }) => !known.has(fact));
    this.#notes.push(...fresh);
    if (fresh.length === 0) return null;
    return fresh.map((note) => `- ${withCitations(note.fact, [note])}`).join("\n");
  }

  /** The results that are worth reading, as the model says; else the first. */
  async #chosen(query: string, hits: readonly Hit[]): Promise<readonly Hit[]> {
    const fresh = hits.filter(({ title, summary }) => !this.#opened.has(`${title}\n${summary}`));
    const most = this.#limits.pagesPerSearch;
    let chosen = fresh.slice(0, most);
    if (fresh.length > most) {
      const list = fresh.map(
        ({ title, summary }, at) => `[${at + 1}] ${title}: ${plainText(summary, 200)}`,
      );
      const value = await this.#asker.ask(
        `Question: ${this.#question}\n\nResults of a search for ${query} are listed. The numbers of the ${most} results ` +
          "that are most likely to answer the question?",
        { recipient: "browser.search", text: list.join("\n") },
        {
          type: "object",
          properties: {
            open: {
              type: "array",
              minItems: 1,
              maxItems: most,
              items: { type: "integer", minimum: 1, maximum: fresh.length },
            },
          },
          required: ["open"],
          additionalProperties: false,
        },
        200,
      );
      const { open } = (value ?? {}) as { readonly open?: unknown };
      const numbers = Array.isArray(open) ? [...new Set(open as number[])] : [];
      const named = numbers.flatMap((number) => fresh[number - 1] ?? []);
      // What it leaves open, the order of the search fills.
      chosen = [...new Set([...named, ...fresh])].slice(0, most);
    }
    for (const { title, summary } of chosen) this.#opened.add(`${title}\n${summary}`);
    return chosen;
  }

  /** The next call; null: it is time to answer. */
  async #next(): Promise<Action | null> {
    const next = this.#queue.shift();
    if (next !== undefined) return next;
    if (this.#hasLookedAgain || this.#searches.length >= this.#limits.searches) return null;
    this.#hasLookedAgain = true;
    const list = this.#notes.map(({ fact }) => `- ${fact}`).join("\n");
    const value = await this.#asker.ask(
      `Question: ${this.#question}\n\nNotes so far are listed. Do they answer the question? If not, what few words ` +
        "should be searched next?",
      { recipient: "functions.read_notes", text: list || "none" },
      {
        type: "object",
        properties: { answered: { type: "boolean" }, search: { type: "string" } },
        required: ["answered", "search"],
        additionalProperties: false,
      },
      300,
    );
    const { answered, search } = (value ?? {}) as {
      readonly answered?: unknown;
      readonly search?: unknown;
    };
    const query = plainText(search, 160);
    if (answered !== false || query === "" || this.#searches.includes(query)) return null;
    return { type: "search", query };
  }

  /** Of the budgets of the turn, what questions may use: a step behind them has to be left. */
  #left(): Left {
    const { signal, maxTokens } = this.#request;
    const used = this.#asker.cost.outputTokens - this.#tokensBefore;
    const { seconds } = this.#limits;
    const spent = performance.now() - this.#startedAt;
    return {
      signal,
      tokens: maxTokens === null ? null : maxTokens - used - RESERVED_TOKENS,
      milliseconds: seconds === undefined ? null : Math.floor(seconds * 1000 - spent - RESERVED_MS),
    };
  }

  async #answer(): Promise<string> {
    if (this.#notes.length === 0) {
      const searched = this.#searches.map((query) => `“${query}”`).join(", ");
      const where = this.#pages.length === 0 ? "no page" : this.#pages.join(", ");
      return `Nothing was found that answers this. Searched: ${searched || "nothing"}; read: ${where}.`;
    }
    const { text, leftOut } = await compose(
      this.#question,
      this.#notes,
      this.#sources(),
      this.#asker,
    );
    this.#leftOut += leftOut;
    return text;
  }
}

/** Kept for the answer. */
const RESERVED_TOKENS = 16;
const RESERVED_MS = 300;

/** The loop has told, in a note, that a budget is near its end. */
function isNearItsEnd({ transcript }: ModelRequest): boolean {
  return transcript.some(({ isNote }) => isNote === true);
}

function distinct(queries: readonly string[]): readonly string[] {
  const byWords = new Map(
    queries.filter((query) => query !== "").map((query) => [query.toLowerCase(), query]),
  );
  return [...byWords.values()];
}

function commentary(text: string): Said {
  return { channel: "commentary", recipient: null, text };
}

function call(action: Action): Said {
  const input =
    action.type === "search"
      ? { query: action.query }
      : { cursor: action.cursor, id: action.hit.id };
  return {
    channel: "commentary",
    recipient: `browser.${action.type}`,
    text: JSON.stringify(input),
  };
}

async function tell(
  { channel, recipient, text }: Said,
  onEvent: (event: ModelEvent) => void | Promise<void>,
): Promise<void> {
  const header = {
    role: "assistant",
    channel,
    recipient,
    contentType: recipient === null ? null : "code",
  } as const;
  const terminator = recipient !== null ? "call" : channel === "final" ? "return" : "end";
  const message: ModelMessage = { ...header, text, terminator, issues: [], ids: [0, 0] };
  await onEvent({ type: "message_started", header: message });
  await onEvent({ type: "delta", text });
  await onEvent({ type: "message_ended", message });
}
