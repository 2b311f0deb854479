/** What the jobs of a worker are run with: models and tools that several jobs share, and a Python for each. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { artifactBase, type Environment } from "../../environment.ts";
import { type Job, type JobPlace, openArtifacts } from "../../jobs/index.ts";
import { BatchTools } from "../batch/batch-tools.ts";
import type { CommandContext } from "../command-context.ts";
import { agentOf, openRunEnvironment } from "../open-run.ts";
import { argumentsOf, placeKey, type RunArguments } from "./job-settings.ts";

type Shared = {
  readonly opening: Promise<Environment>;
  users: number;
};

/** Models without a job that stay in memory, for the next one. */
const MAX_IDLE = 1;

export class JobPlaces implements AsyncDisposable {
  readonly #own: RunArguments;
  readonly #context: CommandContext;
  readonly #concurrency: number;
  /** The one that was used last stands last. */
  readonly #shared = new Map<string, Shared>();

  constructor(own: RunArguments, context: CommandContext, concurrency: number) {
    this.#own = own;
    this.#context = context;
    this.#concurrency = concurrency;
  }

  /** @throws UsageError for settings that cannot be used; ToolsError, ModelError, InferenceError */
  async open(job: Job): Promise<JobPlace> {
    const { settings = {}, output } = job.spec;
    const args = argumentsOf(this.#own, settings);
    const key = placeKey(settings);
    const shared = this.#take(key, args);
    await using opened = new AsyncDisposableStack();
    opened.defer(() => this.#release(key, shared));
    const environment = await shared.opening;
    const { env, output: terminal } = this.#context;
    const where = args.artifacts ?? join(artifactBase(environment.home), "jobs");
    const store = opened.use(await openArtifacts(where, env));
    const folder = await mkdtemp(join(tmpdir(), "chorale-job-"));
    opened.defer(() => rm(folder, { recursive: true, force: true }));
    const given = { ...args, artifacts: folder };
    const tools = new BatchTools(given, environment, env, (sentence) => terminal.note(sentence));
    const own = opened.use(await tools.forPrompt());
    const { model, policy } = environment;
    opened.defer(async () => model.release(job.threadId));
    const agent = agentOf(
      { agent: args, model: args },
      { model, policy, tools: own.tools, briefing: own.briefing },
      output,
    );
    const kept = opened.move();
    return { agent, outputs: { folder, store }, [Symbol.asyncDispose]: () => kept.disposeAsync() };
  }

  #take(key: string, args: RunArguments): Shared {
    const known = this.#shared.get(key);
    this.#shared.delete(key);
    const shared = known ?? { users: 0, opening: this.#openEnvironment(args) };
    shared.users++;
    this.#shared.set(key, shared);
    return shared;
  }

  #openEnvironment(args: RunArguments): Promise<Environment> {
    const opening = openRunEnvironment({ agent: args, model: args }, this.#context, {
      python: false,
      keepThreads: false,
      model: { maxSessions: Math.max(DEFAULT_SESSIONS, this.#concurrency) },
    });
    // Each job that waits for it hears of a failure.
    opening.catch(() => {});
    return opening;
  }

  async #release(key: string, shared: Shared): Promise<void> {
    shared.users--;
    const hasFailed = await shared.opening.then(
      () => false,
      () => true,
    );
    if (hasFailed && this.#shared.get(key) === shared) this.#shared.delete(key);
    const idle = [...this.#shared].filter(([, { users }]) => users === 0);
    for (const [other, { opening }] of idle.slice(0, -MAX_IDLE)) {
      this.#shared.delete(other);
      await (await opening).close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#shared.values()];
    this.#shared.clear();
    await Promise.allSettled(all.map(async ({ opening }) => (await opening).close()));
  }
}

/** Conversations whose keys and values stay between two steps. */
const DEFAULT_SESSIONS = 4;
