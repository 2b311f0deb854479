/** A question about documents, answered by a remote model that does not see them and a local one that does. */
import { UsageError } from "../errors.ts";
import type { LanguageModel } from "../index.ts";
import type { ContextDocument } from "./chunks.ts";
import { type Departure, DryRunEnd, EgressGate, type EgressRecord } from "./egress.ts";
import { LocalMeter } from "./local-meter.ts";
import { runMinion, type Tally } from "./minion.ts";
import { runMinions as runDecomposed } from "./minions.ts";
import { type RedactionRule, Redactor } from "./redaction.ts";
import { Supervisor } from "./supervisor.ts";

/** For a million tokens, in a currency of the caller's. */
export type Price = { readonly input: number; readonly output: number };

export type MinionsOptions = {
  readonly question: string;
  /** What only the local model reads; names are told to it alone. */
  readonly context: readonly ContextDocument[];
  /** The supervisor. */
  readonly remote: LanguageModel;
  /** The worker. */
  readonly local: LanguageModel;
  /** `minion`: a chat between both; `minions`: tasks over parts of the context. Default `minions`. */
  readonly protocol?: "minion" | "minions" | undefined;
  /** Most rounds. Default 3. */
  readonly rounds?: number | undefined;
  /** Most tokens that the remote model reads and writes. Default: no limit. */
  readonly budget?: number | undefined;
  /** Values to replace by labels before a text leaves. Default: none. */
  readonly redact?: readonly RedactionRule[] | undefined;
  /** Texts that must not leave, in any case, spacing and punctuation. */
  readonly private?: readonly string[] | undefined;
  /** Only the first request is made, and not sent. */
  readonly dryRun?: boolean | undefined;
  /** UTF-16 units of an excerpt for a worker, at most. Default: 3,000, and less for a worker with a small context. */
  readonly chunkChars?: number | undefined;
  /** Most different tasks in a round. Default 3. */
  readonly tasksPerRound?: number | undefined;
  /** Most jobs in a round. Default 2,048. */
  readonly maxJobs?: number | undefined;
  /** Excerpts that are worked on at the same time. Default 4. */
  readonly parallel?: number | undefined;
  readonly price?: Price | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Gets each request before it is sent, as it will be sent. False: it is not sent, and the run fails. */
  readonly onEgress?: ((departure: Departure) => boolean | Promise<boolean>) | undefined;
  readonly onProgress?: ((sentence: string) => void) | undefined;
};

export type MinionsReport = {
  readonly protocol: "minion" | "minions";
  /** `failed`: `error` says why. */
  readonly status: "answered" | "dry_run" | "failed";
  /** With the values in the place of labels; null without an answer. */
  readonly answer: string | null;
  readonly error?: unknown;
  readonly rounds: number;
  readonly jobs: {
    readonly total: number;
    readonly answered: number;
    readonly abstained: number;
    readonly failed: number;
  };
  /** Replies that were asked for again. */
  readonly retries: { readonly supervisor: number; readonly worker: number };
  readonly tokens: {
    /** As the remote model reported them. */
    readonly remote: { readonly calls: number; readonly input: number; readonly output: number };
    readonly local: {
      readonly calls: number;
      readonly input: number;
      readonly cached: number;
      readonly output: number;
    };
    /** What the remote model would have read and written with the documents in its prompt, as it counts texts. */
    readonly remoteOnly: { readonly input: number; readonly output: number };
  };
  /** Remote tokens through those of a remote-only run. */
  readonly ratio: number;
  readonly milliseconds: {
    readonly total: number;
    readonly remote: number;
    readonly local: number;
  };
  readonly cost?: { readonly remote: number; readonly remoteOnly: number };
  /** Everything that left the machine, in order; in a dry run what would have left first. */
  readonly receipt: readonly EgressRecord[];
};

const MAX_ATTEMPTS = 5;
const CODE_MS = 30_000;
const CHUNK_CHARS = 3000;
/** Of the worker's context, for an excerpt. */
const CHUNK_SHARE = 0.45;

/**
 * Runs one of the protocols.
 * @throws UsageError for options that cannot be run. What fails later is in the report, with the receipt.
 */
export async function runMinions(options: MinionsOptions): Promise<MinionsReport> {
  const { question, context, remote, local, protocol = "minions", dryRun = false } = options;
  const { signal = new AbortController().signal, onProgress = () => {}, price } = options;
  check(options);
  const startedAt = performance.now();
  const redactor = new Redactor(options.redact ?? [], options.private ?? []);
  const budget = options.budget ?? Number.POSITIVE_INFINITY;
  const gate = new EgressGate({ remote, redactor, budget, dryRun, onEgress: options.onEgress });
  const supervisor = new Supervisor({ gate, signal, maxAttempts: MAX_ATTEMPTS });
  const worker = new LocalMeter(local);
  const tally: Tally = {
    rounds: 0,
    jobs: 0,
    answered: 0,
    abstained: 0,
    failed: 0,
    workerRetries: 0,
  };
  const shared = {
    ...{ question, documents: context, supervisor, worker, signal, onProgress },
    rounds: options.rounds ?? 3,
    restore: (text: string) => redactor.restore(text),
  };
  let answer: string | null = null;
  let error: unknown;
  try {
    const labelled =
      protocol === "minion"
        ? await runMinion(shared, tally)
        : await runDecomposed({ ...shared, ...limitsOf(options) }, tally);
    answer = redactor.restore(labelled);
  } catch (thrown) {
    error = thrown;
  }
  const { usage } = gate;
  const texts = [...context.map(({ text }) => text), question];
  const remoteOnly = {
    input: texts.reduce((sum, text) => sum + remote.countTokens(text), 0),
    output: remote.countTokens(answer ?? ""),
  };
  const costOf = (input: number, output: number): number =>
    (input * (price?.input ?? 0) + output * (price?.output ?? 0)) / 1e6;
  const isDry = error instanceof DryRunEnd;
  return {
    protocol,
    status: isDry ? "dry_run" : error === undefined ? "answered" : "failed",
    answer,
    ...(error !== undefined && !isDry && { error }),
    rounds: tally.rounds,
    jobs: {
      total: tally.jobs,
      answered: tally.answered,
      abstained: tally.abstained,
      failed: tally.failed,
    },
    retries: {
      supervisor: supervisor.retries,
      worker: tally.workerRetries,
    },
    tokens: {
      remote: { calls: usage.calls, input: usage.inputTokens, output: usage.outputTokens },
      local: {
        calls: worker.usage.calls,
        input: worker.usage.inputTokens,
        cached: worker.usage.cachedTokens,
        output: worker.usage.outputTokens,
      },
      remoteOnly,
    },
    ratio: (usage.inputTokens + usage.outputTokens) / (remoteOnly.input + remoteOnly.output),
    milliseconds: {
      total: performance.now() - startedAt,
      remote: usage.milliseconds,
      local: worker.usage.milliseconds,
    },
    ...(price && {
      cost: {
        remote: costOf(usage.inputTokens, usage.outputTokens),
        remoteOnly: costOf(remoteOnly.input, remoteOnly.output),
      },
    }),
    receipt: gate.records,
  };
}

function check({ question, context, rounds = 3, budget = 1, ...others }: MinionsOptions): void {
  if (question.trim() === "") throw new UsageError("The question is empty; give one.");
  if (context.every(({ text }) => text.trim() === "")) {
    throw new UsageError("The context has no text; give at least one document.", {
      option: "context",
    });
  }
  const { chunkChars = 200, tasksPerRound = 1, maxJobs = 1, parallel = 1 } = others;
  const counts = { rounds, budget, tasksPerRound, maxJobs, parallel };
  for (const [option, count] of Object.entries(counts)) {
    if (Number.isInteger(count) && count >= 1) continue;
    throw new UsageError(`The option ${option} is ${count}; accepted: a whole number from 1.`, {
      option,
    });
  }
  if (chunkChars < 200) {
    throw new UsageError(`The option chunkChars is ${chunkChars}; accepted: 200 and more.`, {
      option: "chunkChars",
    });
  }
}

function limitsOf({ local, context, ...given }: MinionsOptions): {
  readonly chunkChars: number;
  readonly maxTasks: number;
  readonly maxJobs: number;
  readonly parallel: number;
  readonly codeMs: number;
} {
  const text = context.map((document) => document.text).join("");
  const charsPerToken = text.length / Math.max(1, local.countTokens(text));
  const room = Math.floor(local.contextLength * CHUNK_SHARE * charsPerToken);
  return {
    chunkChars: Math.max(1, Math.min(given.chunkChars ?? CHUNK_CHARS, room)),
    maxTasks: given.tasksPerRound ?? 3,
    maxJobs: given.maxJobs ?? 2048,
    parallel: given.parallel ?? 4,
    codeMs: CODE_MS,
  };
}
