/** Runs of the page: begun, found again, and what they share. */
import { resolve } from "node:path";
import { messageOf } from "../../errors.ts";
import { Agent, type ReasoningEffort, Thread } from "../../index.ts";
import type { Admission } from "../admission.ts";
import type { ServerContext } from "../context.ts";
import { ServerError } from "../errors.ts";
import { newId } from "../ids.ts";
import { RequestModel } from "../turn/request-model.ts";
import { LiveRun } from "./live-run.ts";
import type { ConversationTools, PageServices, PageTools } from "./services.ts";

export type RunWish = {
  /** Absent: a new conversation. */
  readonly thread: string | null;
  /** Absent: the open turn goes on. */
  readonly text: string | null;
  readonly model: string;
  readonly effort: ReasoningEffort | null;
  /** Names of the tools that may be used; null: all. */
  readonly tools: readonly string[] | null;
  /** What the answer must pass, as JSON Schema. */
  readonly schema: Readonly<Record<string, unknown>> | null;
};

/** Conversations whose tools stay open while no page uses them: an interpreter takes memory. */
const MAX_OPEN = 4;
/** Runs that are over and can still be read. */
const MAX_ENDED = 32;

type OpenConversation = { readonly tools: Promise<ConversationTools>; users: number };

export class PageRuns {
  readonly #context: Pick<ServerContext, "models" | "closing"> & { readonly admission: Admission };
  readonly #services: PageServices;
  /** By id, oldest first. */
  readonly #runs = new Map<string, LiveRun>();
  /** By thread, the one that was used last behind the others. */
  readonly #conversations = new Map<string, OpenConversation>();
  #tools: Promise<PageTools> | null = null;

  constructor(
    context: Pick<ServerContext, "models" | "closing" | "admission">,
    services: PageServices,
  ) {
    this.#context = context;
    this.#services = services;
    context.closing.addEventListener("abort", () => {
      for (const run of this.#runs.values()) run.stop();
    });
  }

  get services(): PageServices {
    return this.#services;
  }

  /** A run is at work, or waits for a person. */
  get isBusy(): boolean {
    return [...this.#runs.values()].some(({ isOver }) => !isOver);
  }

  /** @throws what opening them throws; it is tried again then */
  tools(): Promise<PageTools> {
    this.#tools ??= this.#services.openTools().catch((error: unknown) => {
      this.#tools = null;
      throw error;
    });
    return this.#tools;
  }

  /** The run of a thread that is at work. */
  ofThread(threadId: string): LiveRun | null {
    return (
      [...this.#runs.values()].findLast((run) => run.threadId === threadId && !run.isOver) ?? null
    );
  }

  /** @throws ServerError where there is none of this id */
  get(id: string): LiveRun {
    const run = this.#runs.get(id);
    if (run !== undefined) return run;
    throw new ServerError("CHORALE_NOT_FOUND", `There is no run ${id.slice(0, 100)} here.`, {
      status: 404,
    });
  }

  /** @throws ServerError while another run of the thread is at work; ThreadNotFoundError, ThreadLogError */
  async begin(wish: RunWish): Promise<LiveRun> {
    const thread = await this.#threadOf(wish.thread);
    if (this.ofThread(thread.id) !== null) {
      throw new ServerError("CHORALE_REQUEST", "A run of this conversation is at work already.", {
        status: 409,
      });
    }
    const { text } = wish;
    const run = new LiveRun(
      { id: newId("run_"), threadId: thread.id, text, fromSeq: thread.state.length },
      (live) => this.#work(live, thread, wish),
    );
    this.#runs.set(run.id, run);
    for (const [id, { isOver }] of this.#runs) {
      if (this.#runs.size <= MAX_ENDED) break;
      if (isOver) this.#runs.delete(id);
    }
    return run;
  }

  /** @throws ThreadNotFoundError, ThreadLogError */
  async #threadOf(id: string | null): Promise<Thread> {
    const { threads: store, folder } = this.#services;
    const begin = { store, ...(folder !== undefined && { folder: resolve(folder) }) };
    if (id === null) return Thread.create(begin);
    // A first run that failed before its turn began, without a model perhaps, has left no log.
    const isBegun = [...this.#runs.values()].some(({ threadId }) => threadId === id);
    if (isBegun && (await store.read(id)).length === 0) {
      return Thread.create({ ...begin, threadId: id });
    }
    return Thread.open(store, id);
  }

  /** Ends what belongs to a thread, so that it can be removed. */
  async leave(threadId: string): Promise<void> {
    const run = this.ofThread(threadId);
    run?.stop();
    await run?.done;
    const open = this.#conversations.get(threadId);
    this.#conversations.delete(threadId);
    await (await open?.tools)?.close();
  }

  /** Ends all runs and closes the tools of conversations. */
  async close(): Promise<void> {
    const runs = [...this.#runs.values()];
    for (const run of runs) run.stop();
    await Promise.all(runs.map(({ done }) => done));
    const open = [...this.#conversations.values()];
    this.#conversations.clear();
    await Promise.allSettled(open.map(async ({ tools }) => (await tools).close()));
  }

  async #work(live: LiveRun, thread: Thread, wish: RunWish): Promise<void> {
    const { models, admission } = this.#context;
    live.tell({ type: "page.opening", model: wish.model });
    const { signal } = live;
    const lease = await models.use(wish.model, { signal });
    const conversation = this.#enter(thread.id);
    try {
      const [{ briefing }, { tools }] = await Promise.all([this.tools(), conversation.tools]);
      const model = new RequestModel({
        model: lease.model,
        admission,
        maxTokens: null,
        affinity: null,
        answerPrefix: "",
        onAccepted: async () => {},
      });
      const { schema, text } = wish;
      const agent = new Agent({
        model,
        tools,
        policy: this.#services.policy,
        ...(briefing !== undefined && { instructions: briefing }),
        ...(schema !== null && text !== null && { output: { jsonSchema: schema } }),
      });
      const run = agent.run(thread, text ?? undefined, {
        ...(wish.effort !== null && { effort: wish.effort }),
        ...(wish.tools !== null && { activeTools: wish.tools }),
        signal,
        approve: live.ask,
        steering: () => live.takeSteered(),
        onEvent: (event) => live.tell(event),
      });
      await run.result;
    } finally {
      lease.release();
      conversation.users--;
      await this.#closeUnused();
    }
  }

  #enter(threadId: string): OpenConversation {
    const known = this.#conversations.get(threadId);
    const open = known ?? {
      tools: this.tools().then((tools) => tools.openConversation()),
      users: 0,
    };
    open.users++;
    this.#conversations.delete(threadId);
    this.#conversations.set(threadId, open);
    if (known === undefined) open.tools.catch(() => this.#conversations.delete(threadId));
    return open;
  }

  async #closeUnused(): Promise<void> {
    for (const [threadId, { tools, users }] of this.#conversations) {
      if (this.#conversations.size <= MAX_OPEN) return;
      if (users > 0) continue;
      this.#conversations.delete(threadId);
      await (await tools).close().catch((error: unknown) => messageOf(error));
    }
  }
}
