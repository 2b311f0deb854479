/**
 * A chat without a screen: the conversation, its turns one after the other, what is typed while the model works, and
 * what commands change. The screen and the plain line mode are two views of it.
 */
import { randomInt } from "node:crypto";
import type { ReasoningEffort } from "../../../harmony/index.ts";
import type { Sampling } from "../../../inference/index.ts";
import type { Tool } from "../../../tools/index.ts";
import { InterruptedError } from "../../errors.ts";
import type { RunEvent } from "../../events.ts";
import type {
  Agent,
  AgentOptions,
  ApprovalDecision,
  ApprovalRequest,
  ConversationTurn,
  FootnoteWriter,
  InputMessage,
  LanguageModel,
  LogEntry,
  OutputOptions,
  Thread,
  TurnOptions,
  UserInput,
} from "../../index.ts";
import { errorText } from "../error-text.ts";
import { TurnMeter } from "./meter.ts";
import { InputQueue, type QueuedAt } from "./queue.ts";
import type { Table } from "./text-block.ts";

/** What a chat works with once it is open. */
export type OpenedChat = {
  readonly model: LanguageModel;
  readonly tools: readonly Tool[];
  /** The conversation that begins, or goes on. */
  readonly thread: Thread;
  /** What every turn begins with: instructions, limits, sampling, and the rules about calls. */
  readonly options: TurnOptions & Pick<AgentOptions, "policy">;
  /** Footnotes for one answer of the conversation; null: its citations stay as they are. */
  footnotes(thread: () => Thread): FootnoteWriter | null;
  /** Parts of the library, which a chat loads behind its first prompt. */
  makeAgent(options: AgentOptions): Agent;
  turnsOf(entries: readonly LogEntry[]): readonly ConversationTurn[];
  /**
   * Opens another model in the place of the one before, which is closed. Where that fails, the one before is opened
   * again, and returned with the error.
   * @throws what is wrong with the path; nothing was closed
   */
  changeModel(path: string): Promise<{ readonly model: LanguageModel; readonly error?: unknown }>;
  /** Writes a conversation to a file. @throws UsageError, RunError */
  save(thread: Thread, path: string): Promise<void>;
  /** Reads documents for a question. @throws AttachmentError */
  attach(paths: readonly string[]): Promise<Attached>;
  close(): Promise<void>;
};

/** Documents that go with the next question. */
export type Attached = {
  readonly names: readonly string[];
  /** The question with the documents behind it. */
  addTo(question: string): string;
};

/** Tells what happens while a chat is opened. */
export type Teller = {
  /** What is being opened, until something else is. */
  readonly progress: (what: string) => void;
  /** A sentence that stays. */
  readonly note: (sentence: string) => void;
};

export type ChatView = {
  addQuestion(text: string): void;
  /** Turns of a conversation that goes on. */
  addTurns(turns: readonly ConversationTurn[]): void;
  addNote(text: string, kind?: "note" | "problem"): void;
  addTable(rows: Table): void;
  take(event: RunEvent): void;
  /** Ends what a run that was cut off has left open. */
  closeItems(): void;
  askApproval(request: ApprovalRequest, signal: AbortSignal): Promise<ApprovalDecision>;
  /** Puts text back to where it is edited. */
  edit(text: string): void;
  /** The state that is shown has changed. */
  changed(): void;
  /** The chat is open. */
  opened(chat: OpenedChat): void;
};

export type ChatSessionOptions = {
  readonly open: (teller: Teller) => Promise<OpenedChat>;
  readonly view: ChatView;
};

/** A chat that is open. */
type Open = { readonly chat: OpenedChat; readonly thread: Thread; readonly model: LanguageModel };

export class ChatSession {
  readonly meter: TurnMeter = new TurnMeter();
  readonly queue: InputQueue = new InputQueue();
  readonly #options: ChatSessionOptions;
  #chat: OpenedChat | null = null;
  #model: LanguageModel | null = null;
  #thread: Thread | null = null;
  #loading: string | null = "starting";
  #stop: AbortController | null = null;
  #work: Promise<void> = Promise.resolve();
  #isWorking = false;
  #effort: ReasoningEffort | null = null;
  /** What answers must be, from the next turn on; undefined: they are free. */
  output: OutputOptions | undefined;
  readonly #hiddenTools = new Set<string>();
  #attached: Attached[] = [];
  /** Of the next turn alone. */
  #sampling: Partial<Sampling> | null = null;

  constructor(options: ChatSessionOptions) {
    this.#options = options;
  }

  /** Opens model, tools and conversation. @throws what they throw */
  async open(): Promise<void> {
    const { open, view } = this.#options;
    const chat = await open({
      progress: (what) => this.#load(what),
      note: (sentence) => view.addNote(sentence),
    });
    this.#chat = chat;
    this.#model = chat.model;
    this.#thread = chat.thread;
    view.opened(chat);
    if (chat.thread.state.turns > 0) {
      const entries = await chat.thread.entries();
      view.addTurns(chat.turnsOf(entries));
      this.meter.contextUsed = contextOf(entries);
    }
    this.#load(null);
    if (chat.thread.state.turn !== null) {
      view.addNote("The last turn was not over; it goes on.");
      this.#begin(undefined);
    } else this.#next();
  }

  /** Stops the turn and gives everything back. */
  async close(): Promise<void> {
    this.queue.takeAll();
    this.#stop?.abort(new InterruptedError("caller"));
    await this.#work;
    await this.#chat?.close();
  }

  get isOpen(): boolean {
    return this.#chat !== null;
  }

  get isWorking(): boolean {
    return this.#isWorking;
  }

  get isStopping(): boolean {
    return this.#stop?.signal.aborted ?? false;
  }

  /** What is opened at the moment; null when everything is ready. */
  get loading(): string | null {
    return this.#loading;
  }

  get model(): LanguageModel | null {
    return this.#model;
  }

  get thread(): Thread | null {
    return this.#thread;
  }

  get effort(): ReasoningEffort {
    return this.#effort ?? this.#chat?.options.effort ?? "medium";
  }

  set effort(effort: ReasoningEffort) {
    this.#effort = effort;
    this.#options.view.changed();
  }

  /** Tools with whether the model is told of them. */
  get tools(): readonly { readonly tool: Tool; readonly isOn: boolean }[] {
    return (this.#chat?.tools ?? []).map((tool) => {
      return { tool, isOn: !this.#hiddenTools.has(tool.recipient) };
    });
  }

  /** @returns whether there is such a tool */
  switchTool(name: string, isOn: boolean): boolean {
    const tool = this.#chat?.tools.find(({ recipient }) => {
      return recipient === name || recipient === `functions.${name}`;
    });
    if (tool === undefined) return false;
    if (isOn) this.#hiddenTools.delete(tool.recipient);
    else this.#hiddenTools.add(tool.recipient);
    return true;
  }

  /** Says something to the model: at once where it does not work, else at the time that is given. */
  say(text: string, at: QueuedAt): void {
    this.queue.add(text, at);
    this.#next();
    this.#options.view.changed();
  }

  /** @returns false where there is nothing to stop */
  stopTurn(): boolean {
    if (this.#stop === null) return false;
    this.#stop.abort(new InterruptedError("caller"));
    this.#options.view.changed();
    return true;
  }

  /** Writes the conversation to a file. @throws UsageError, RunError */
  async save(path: string): Promise<void> {
    if (this.#chat !== null && this.#thread !== null) await this.#chat.save(this.#thread, path);
  }

  /** Documents that go with the next question. */
  get attached(): readonly string[] {
    return this.#attached.flatMap(({ names }) => names);
  }

  /** Reads documents for the next question. @throws AttachmentError */
  async attach(paths: readonly string[]): Promise<void> {
    if (this.#chat !== null) this.#attached.push(await this.#chat.attach(paths));
  }

  /** @throws what the model throws; the one before is opened again where that is possible */
  async changeModel(path: string): Promise<void> {
    const chat = this.#chat;
    if (chat === null) return;
    try {
      this.#load(`opening ${path}`);
      const { model, error } = await chat.changeModel(path);
      this.#model = model;
      if (error !== undefined) throw error;
    } finally {
      this.#load(null);
    }
  }

  /** Goes on in a copy of the conversation; the one before stays as it is. */
  async fork(): Promise<Thread | null> {
    if (this.#thread === null || this.#thread.state.turns === 0) return null;
    this.#goOnIn(await this.#thread.fork());
    return this.#thread;
  }

  /**
   * Goes back to before the last turn, in a copy of the conversation.
   * @returns what was said in that turn, and the names of documents in it; null where there is no turn
   */
  async undo(): Promise<Pick<UserInput, "messages" | "untrusted"> | null> {
    const thread = this.#thread;
    if (thread === null) return null;
    const entries = await thread.entries();
    const at = entries.findLastIndex(({ type }) => type === "user");
    const last = entries[at];
    if (last?.type !== "user") return null;
    this.#goOnIn(await thread.fork(at));
    this.meter.contextUsed = contextOf(entries.slice(0, at));
    this.#options.view.changed();
    return last;
  }

  /** Asks the last question again, with another seed. @returns false where there is none */
  async retry(): Promise<boolean> {
    const last = await this.undo();
    if (last === null) return false;
    this.#sampling = { seed: randomInt(2 ** 32) };
    this.#options.view.addQuestion(textOf(last.messages));
    this.#begin(last.messages, last.untrusted);
    return true;
  }

  /** Has the model summarise the conversation; later turns read the summary. */
  compact(): Promise<void> {
    const { view } = this.#options;
    return this.#atWork(async (open, signal) => {
      const onEvent = (event: RunEvent): void => this.#take(event);
      const compacted = await this.#agent(open).compact(open.thread, { signal, onEvent });
      if (compacted === null) view.addNote("There is nothing that a summary would make shorter.");
      else this.meter.contextUsed = compacted.tokensAfter;
    });
  }

  /** What the model has computed for the thread before is not computed again. */
  #goOnIn(thread: Thread): void {
    if (this.#thread !== null) this.#model?.handOver?.(this.#thread.id, thread.id);
    this.#thread = thread;
  }

  /** When all turns are over that are known by now. */
  async idle(): Promise<void> {
    while (this.#isWorking) await this.#work;
  }

  #load(what: string | null): void {
    this.#loading = what;
    this.#options.view.changed();
  }

  #next(): void {
    if (this.#chat === null || this.#isWorking || this.#loading !== null) return;
    const text = this.queue.takeTurn();
    if (text === null) return;
    this.#options.view.addQuestion(text);
    const attached = this.#attached;
    this.#attached = [];
    this.#begin(
      attached.reduce((question, documents) => documents.addTo(question), text),
      attached.flatMap(({ names }) => names),
    );
  }

  /** @param untrusted names of documents in the input */
  #begin(
    input: string | readonly InputMessage[] | undefined,
    untrusted: readonly string[] = [],
  ): void {
    void this.#atWork((chat, signal) => this.#turn(chat, input, untrusted, signal));
  }

  /**
   * Keeps the chat busy with what can be stopped. Never rejects: what goes wrong is told, and the chat goes on.
   */
  #atWork(work: (chat: Open, signal: AbortSignal) => Promise<void>): Promise<void> {
    const { view } = this.#options;
    const [chat, thread, model] = [this.#chat, this.#thread, this.#model];
    if (chat === null || thread === null || model === null) return Promise.resolve();
    const stop = new AbortController();
    this.#stop = stop;
    this.#isWorking = true;
    this.meter.begin();
    this.#work = work({ chat, thread, model }, stop.signal)
      .catch((error: unknown) => {
        view.closeItems();
        if (stop.signal.aborted) this.#stopped();
        else view.addNote(errorText(error), "problem");
      })
      .finally(() => {
        this.#stop = null;
        this.#isWorking = false;
        this.meter.end();
        view.changed();
        this.#next();
      });
    return this.#work;
  }

  #agent({ chat, model }: Open): Agent {
    return chat.makeAgent({
      ...chat.options,
      effort: this.effort,
      activeTools: this.tools.flatMap(({ tool, isOn }) => (isOn ? [tool.recipient] : [])),
      model,
      tools: chat.tools,
      output: this.output,
      approve: (request, { signal }) => this.#options.view.askApproval(request, signal),
    });
  }

  async #turn(
    open: Open,
    input: string | readonly InputMessage[] | undefined,
    untrusted: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const { view } = this.#options;
    const sampling = this.#sampling;
    this.#sampling = null;
    const run = this.#agent(open).run(open.thread, input, {
      signal,
      untrusted,
      ...(sampling !== null && { sampling }),
      steering: () => this.#steering(),
      onEvent: (event) => this.#take(event),
    });
    const { status, error } = await run.result;
    view.closeItems();
    if (status === "cancelled") this.#stopped();
    else if (error !== undefined) view.addNote(errorText(error), "problem");
  }

  /** What was still to be said is the person's to decide again. */
  #stopped(): void {
    const { view } = this.#options;
    view.addNote("Stopped.");
    const waiting = this.queue.takeAll();
    if (waiting !== "") view.edit(waiting);
  }

  #steering(): readonly InputMessage[] | null {
    const texts = this.queue.takeSteering();
    if (texts.length === 0) return null;
    for (const text of texts) this.#options.view.addQuestion(text);
    return texts.map((content) => ({ role: "user", content }));
  }

  #take(event: RunEvent): void {
    this.meter.take(event);
    this.#options.view.take(event);
    this.#options.view.changed();
  }
}

/** What the user said, of the messages of a turn's input. */
export function textOf(messages: readonly InputMessage[]): string {
  const texts = messages
    .filter(({ role }) => role === "user")
    .map(({ content }) =>
      typeof content === "string"
        ? content
        : content.map((part) => (part.type === "text" ? part.text : "")).join(""),
    );
  return texts.join("\n\n");
}

/** Tokens that the context held behind the last step. */
function contextOf(entries: readonly LogEntry[]): number {
  const last = entries.findLast((entry) => entry.type === "sampled");
  return last?.type === "sampled" ? last.usage.inputTokens + last.usage.outputTokens : 0;
}
