/**
 * Research over what a browser reaches: a plan, several searches, pages that are opened, notes with their lines, and an
 * answer whose sentences are held against the lines that they cite.
 */
import type { Tool } from "../../tools/index.ts";
import { Agent, type AgentOptions, type RunOverrides } from "../agent/agent.ts";
import type { AgentRun } from "../agent/agent-run.ts";
import type { RunResult } from "../agent/run-result.ts";
import { UsageError } from "../errors.ts";
import type { LanguageModel } from "../model/language-model.ts";
import { invalid, type TurnOptions } from "../options.ts";
import { sourcesOf } from "../thread/annotate.ts";
import { Thread } from "../thread/thread.ts";
import { researchReport } from "./report.ts";
import { ResearchModel, type ResearchProgress } from "./research-model.ts";

export type ResearchOptions = Pick<
  TurnOptions,
  "effort" | "sampling" | "date" | "maxSteps" | "maxTokens" | "maxSeconds" | "maxToolCalls"
> &
  Pick<AgentOptions, "policy"> &
  Pick<RunOverrides, "approve" | "signal" | "onEvent"> & {
    /** Answers the small questions; the caller closes it. */
    readonly model: LanguageModel;
    /** `tools` of `createBrowserTools`; others are not used. */
    readonly tools: readonly Tool[];
    readonly question: string;
    /** Default: a new one in memory. */
    readonly thread?: Thread | undefined;
    /** Most searches. Default 4. */
    readonly maxSearches?: number | undefined;
    /** Most pages that are opened for one search. Default 2. */
    readonly pagesPerSearch?: number | undefined;
  };

export type ResearchRun = {
  /** Its events, and its result: the answer with its annotations. */
  readonly run: AgentRun;
  /** What was done until now. */
  readonly progress: ResearchProgress;
  /** Question, answer with footnotes, sources and what was used, as Markdown; the notes where it was stopped. */
  report(result: RunResult): string;
};

const DEFAULT_STEPS = 24;

/** Begins at once. @throws UsageError for options that cannot be run */
export function research(options: ResearchOptions): ResearchRun {
  const { model, tools, question, maxSearches = 4, pagesPerSearch = 2 } = options;
  if (typeof question !== "string" || question.trim() === "") {
    throw new UsageError("The question is empty; give one.", { option: "question" });
  }
  checkCount("maxSearches", maxSearches);
  checkCount("pagesPerSearch", pagesPerSearch);
  const browser = tools.filter(({ recipient }) => /^browser\.(?:search|open)$/.test(recipient));
  if (browser.length < 2) {
    throw new UsageError(
      "Research needs something to search: browser.search and browser.open are not among the tools. The `tools` of " +
        "createBrowserTools have them.",
      { option: "tools" },
    );
  }
  const { thread = Thread.create(), effort = "low", sampling, date } = options;
  const guided = new ResearchModel(
    model,
    question,
    { searches: maxSearches, pagesPerSearch, seconds: options.maxSeconds },
    () => sourcesOf(thread.state),
    { effort, sampling, date },
  );
  const { maxSteps = DEFAULT_STEPS, maxTokens, maxSeconds, maxToolCalls } = options;
  const { policy, approve, signal, onEvent } = options;
  const agent = new Agent({
    model: guided,
    tools: browser,
    effort,
    date,
    policy,
    maxSteps,
    maxTokens,
    maxSeconds,
    maxToolCalls,
    verifyCitations: true,
    compaction: false,
  });
  return {
    run: agent.run(thread, question, { approve, signal, onEvent }),
    get progress() {
      return guided.progress;
    },
    report: ({ output, annotations, usage, timing }) =>
      researchReport(
        {
          question,
          answer: output,
          annotations,
          progress: guided.progress,
          spent: [
            `${usage.input_tokens} tokens read`,
            ofLimit(usage.output_tokens, maxTokens, "tokens written"),
            ofLimit(Math.round(timing.total_ms / 100) / 10, maxSeconds, "seconds"),
            `${guided.progress.questions} questions to ${model.name} (${guided.progress.unanswered} without a usable answer)`,
          ].join(", "),
        },
        sourcesOf(thread.state),
      ),
  };
}

function ofLimit(used: number, limit: number | undefined, unit: string): string {
  return limit === undefined ? `${used} ${unit}` : `${used} of ${limit} ${unit}`;
}

function checkCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1)
    throw invalid(name, value, "a whole number from 1 on");
}
