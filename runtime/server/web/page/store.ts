/** What the page knows and does. The views are drawn again after each change, at most once a frame. */
import type { Trace } from "../../../tracing/index.ts";
import {
  ApiError,
  api,
  type ExportFormat,
  eventsOf,
  type ListedThread,
  type ServerFacts,
  useKey,
} from "./api.ts";
import { emptyTurn, type TurnView, turnOfLog, withEvent } from "./conversation.ts";
import { saveAs } from "./items.ts";
import { toolName } from "./text.ts";

export type Settings = {
  readonly model: string;
  readonly effort: "low" | "medium" | "high";
  /** Names of tools that are switched off. */
  readonly withoutTools: ReadonlySet<string>;
  /** Text of a JSON Schema; "": the answer is free. */
  readonly schema: string;
};

export type Conversation = {
  /** null: nothing was said yet. */
  readonly id: string | null;
  readonly parent: string | null;
  readonly turns: readonly TurnView[];
  /** The run that is at work. */
  readonly run: string | null;
  /** Milliseconds since 1970; what the tokens per second are counted from. */
  readonly since: number | null;
};

const EMPTY: Conversation = { id: null, parent: null, turns: [], run: null, since: null };
/** Milliseconds between two looks at memory and models. */
const LOOK_AGAIN = 15_000;
/** Milliseconds of silence behind a key before what was typed is searched. */
const SEARCH_DELAY = 200;

export class Store {
  facts: ServerFacts | null = null;
  threads: readonly ListedThread[] = [];
  query = "";
  conversation: Conversation = EMPTY;
  settings: Settings = { model: "", effort: "medium", withoutTools: new Set(), schema: "" };
  trace: Trace | null = null;
  problem: string | null = null;
  needsKey = false;
  isNavOpen = false;
  /** Told to those who do not see the page. */
  announcement = "";
  readonly #onChange: () => void;
  #following: AbortController | null = null;
  #search: ReturnType<typeof setTimeout> | null = null;
  #frame = false;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  async start(): Promise<void> {
    await this.#try(async () => {
      await Promise.all([this.#look(), this.#list()]);
      await this.openFromAddress();
    });
    setInterval(() => {
      // A hidden tab is no use of the server, which may end when it is idle.
      if (document.hidden || this.needsKey) return;
      this.#look().then(
        () => this.#changed(),
        () => {},
      );
    }, LOOK_AGAIN);
  }

  async useKey(key: string): Promise<void> {
    useKey(key);
    this.needsKey = false;
    await this.#try(async () => {
      await Promise.all([this.#look(), this.#list()]);
      await this.openFromAddress();
    });
  }

  /** The conversation that the address names behind its #. */
  async openFromAddress(): Promise<void> {
    const id = decodeURIComponent(location.hash.slice(1));
    if (id === (this.conversation.id ?? "")) return;
    if (id === "") this.#leave();
    else await this.#open(id);
  }

  search(query: string): void {
    this.query = query;
    this.#changed();
    if (this.#search !== null) clearTimeout(this.#search);
    this.#search = setTimeout(() => void this.#try(() => this.#list()), SEARCH_DELAY);
  }

  begin(): void {
    if (location.hash === "") this.#leave();
    else location.hash = "";
    this.isNavOpen = false;
    this.#changed();
  }

  set(change: Partial<Settings>): void {
    this.settings = { ...this.settings, ...change };
    this.#changed();
  }

  toggleNav(): void {
    this.isNavOpen = !this.isNavOpen;
    this.#changed();
  }

  fail(error: unknown): void {
    this.problem = textOf(error);
    this.#changed();
  }

  dismiss(): void {
    this.problem = null;
    this.#changed();
  }

  /** A new turn; while one is at work the model reads it in its next step. */
  async send(text: string): Promise<boolean> {
    const { run } = this.conversation;
    return this.#try(() =>
      run === null ? this.#run(text) : api.steer(run, text).then(() => this.#say("Sent")),
    );
  }

  /** Goes on with a turn that is not over. */
  async resume(): Promise<void> {
    await this.#try(() => this.#run(null));
  }

  async stop(): Promise<void> {
    const { run } = this.conversation;
    if (run !== null) await this.#try(() => api.stop(run));
  }

  readonly decide = (
    call: string,
    decision: "allow" | "deny",
    remember: "session" | null,
  ): void => {
    const { run } = this.conversation;
    // The button goes, and the focus would with it.
    document.getElementById("message")?.focus();
    if (run !== null) void this.#try(() => api.decide(run, call, decision, remember));
  };

  async fork(turn: number | null): Promise<void> {
    const { id } = this.conversation;
    if (id === null) return;
    await this.#try(async () => {
      const copy = await api.fork(id, turn);
      location.hash = encodeURIComponent(copy.id);
      await this.#list();
      this.#say("Copied");
    });
  }

  async rename(id: string, title: string): Promise<void> {
    await this.#try(async () => {
      await api.rename(id, title);
      await this.#list();
      this.#say("Renamed");
    });
  }

  async remove(id: string): Promise<void> {
    await this.#try(async () => {
      await api.remove(id);
      if (this.conversation.id === id) this.begin();
      await this.#list();
      this.#say("Removed");
    });
  }

  async save(format: ExportFormat): Promise<void> {
    const { id } = this.conversation;
    if (id === null) return;
    await this.#try(async () => {
      const ending = { markdown: "md", jsonl: "jsonl", harmony: "harmony" }[format];
      saveAs(await api.exported(id, format), `${id}.${ending}`);
    });
  }

  async toggleTrace(): Promise<void> {
    const { id } = this.conversation;
    await this.#try(async () => {
      this.trace = this.trace === null && id !== null ? await api.trace(id) : null;
    });
  }

  async #run(text: string | null): Promise<void> {
    const { model, effort, withoutTools, schema } = this.settings;
    const all = this.facts?.tools ?? [];
    const run = await api.begin({
      thread: this.conversation.id,
      text,
      model,
      effort,
      tools:
        withoutTools.size === 0
          ? null
          : all.map(({ name }) => name).filter((name) => !withoutTools.has(name)),
      schema: parsedSchema(schema),
    });
    const { conversation } = this;
    this.trace = null;
    this.conversation = {
      ...conversation,
      id: run.thread,
      turns: text === null ? conversation.turns : [...conversation.turns, emptyTurn(text)],
    };
    // The address follows without being opened again.
    history.replaceState(null, "", `#${encodeURIComponent(run.thread)}`);
    this.#follow(run.id);
  }

  /** Reads a run to its end, into the last turn. */
  #follow(run: string): void {
    this.#following?.abort();
    const following = new AbortController();
    this.#following = following;
    this.conversation = { ...this.conversation, run, since: null };
    this.#say("The model answers");
    void (async () => {
      try {
        for await (const event of eventsOf(run, following.signal)) {
          if (following.signal.aborted) return;
          const { turns, since } = this.conversation;
          const last = withEvent({ ...(turns.at(-1) as TurnView), status: "running" }, event);
          this.conversation = {
            ...this.conversation,
            turns: turns.with(
              -1,
              event.type === "run.completed" ? last : settled(last, event.type),
            ),
            since: since ?? (event.type === "item.delta" ? Date.now() : null),
          };
          if (event.type === "approval.requested")
            this.#say(`May ${toolName(event.tool)} run? It waits for you.`);
          this.#changed();
        }
      } catch (error) {
        if (following.signal.aborted) return;
        this.problem = textOf(error);
      }
      if (following.signal.aborted) return;
      this.conversation = { ...this.conversation, run: null };
      const status = this.conversation.turns.at(-1)?.status;
      this.#say(status === "completed" ? "The answer is complete" : `The turn is ${status}`);
      await this.#try(() => Promise.all([this.#list(), this.#look()]));
    })();
  }

  async #open(id: string): Promise<void> {
    this.#following?.abort();
    const thread = await api.thread(id);
    this.trace = null;
    this.isNavOpen = false;
    const turns = thread.turns.map(turnOfLog);
    const { run } = thread;
    this.conversation = {
      id,
      parent: thread.parent,
      turns: run?.text == null ? turns : [...turns, emptyTurn(run.text)],
      run: null,
      since: null,
    };
    if (run !== null) this.#follow(run.id);
    this.#changed();
  }

  #leave(): void {
    this.#following?.abort();
    this.conversation = EMPTY;
    this.trace = null;
    this.#changed();
  }

  async #look(): Promise<void> {
    this.facts = await api.state();
    const [first] = this.facts.models;
    if (this.settings.model === "" && first !== undefined) {
      this.settings = { ...this.settings, model: first.name };
    }
  }

  async #list(): Promise<void> {
    const { query } = this;
    const { threads } = await api.threads(query);
    if (query === this.query) this.threads = threads;
  }

  #say(text: string): void {
    this.announcement = text;
    this.#changed();
  }

  async #try(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.needsKey = true;
      else this.problem = textOf(error);
      return false;
    } finally {
      this.#changed();
    }
  }

  #changed(): void {
    if (this.#frame) return;
    this.#frame = true;
    const draw = (): void => {
      if (!this.#frame) return;
      this.#frame = false;
      this.#onChange();
    };
    requestAnimationFrame(draw);
    // A page in the background gets no frames.
    setTimeout(draw, 100);
  }
}

/** An error ends the turn; everything else leaves it at work. */
function settled(turn: TurnView, type: string): TurnView {
  return type === "error" ? turn : { ...turn, status: "running" };
}

/** @throws Error for a text that is no schema */
function parsedSchema(text: string): unknown {
  if (text.trim() === "") return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`The schema is no JSON: ${textOf(error)}`);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
