/**
 * Decisions with their probabilities: a question with a closed set of answers, of which the model's own logits
 * say how likely each is. Nothing is sampled but the reasoning, where that is wanted.
 */
import { randomUUID } from "node:crypto";
import { DeclaredTools } from "../calls/declared-tools.ts";
import type { StepUsage } from "../context.ts";
import { UsageError } from "../errors.ts";
import type { LanguageModel } from "../model/language-model.ts";
import { userMessage } from "../model/opening.ts";
import { type InputMessage, inputMessages, invalid, type TurnOptions } from "../options.ts";
import { resolveSettings } from "./settings.ts";

/** Which answers there are. Exactly one of them is given. */
export type DecisionAnswers =
  | { readonly choices: readonly string[] }
  /** `yes` or `no`. */
  | { readonly boolean: true }
  /** A whole number from … to. */
  | { readonly score: { readonly min: number; readonly max: number } };

export type DecisionQuestion = DecisionAnswers & {
  readonly question: string;
};

export type DecideOptions = Pick<
  TurnOptions,
  "instructions" | "system" | "effort" | "date" | "sampling" | "maxReasoningTokens"
> & {
  readonly model: LanguageModel;
  /** What the question is about: earlier messages. */
  readonly messages?: readonly InputMessage[] | undefined;
  /** Whether the model reasons before the answer. Default false: the answer comes at once. */
  readonly reason?: boolean | undefined;
  /** Whether the question names the answers. Default true. */
  readonly showAnswers?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type Decision<Answer = string | number | boolean> = {
  /** The likeliest answer: a choice, true or false, or a number. */
  readonly answer: Answer;
  /** Its probability among the answers. */
  readonly probability: number;
  /** Every answer as it is written, the likeliest first; the probabilities add up to 1. */
  readonly probabilities: readonly { readonly answer: string; readonly probability: number }[];
  /**
   * With which probability the model would give one of the answers, written like this, at all. A small one
   * says that it wanted to say something else.
   */
  readonly coverage: number;
  /** With a score: the mean of the answers by their probabilities. */
  readonly mean?: number;
  /** What the model thought; null where it was not asked to. */
  readonly reasoning: string | null;
  readonly usage: StepUsage;
};

const MAX_ANSWERS = 256;

/**
 * Asks one question.
 *
 * @throws UsageError for answers that are none, or a model that tells no probabilities; RunError where the
 *   question does not fit the context; the signal's reason
 */
export async function decide(options: DecideOptions & DecisionQuestion): Promise<Decision> {
  const [decision] = await decideAll({ ...options, questions: [options] });
  return decision as Decision;
}

/**
 * Asks several questions about the same messages, one after the other: what they have in common is computed
 * once.
 * @throws as `decide`, before any question is asked where the questions are wrong
 */
export async function decideAll(
  options: DecideOptions & { readonly questions: readonly DecisionQuestion[] },
): Promise<readonly Decision[]> {
  const { model, messages = [], reason = false, showAnswers = true, questions } = options;
  const { signal = new AbortController().signal } = options;
  if (typeof model?.score !== "function") {
    throw new UsageError(
      `The model ${model?.name ?? "that is given"} does not tell probabilities; accepted: a model over a token engine, ` +
        "such as `await loadModel()` gives.",
      { option: "model" },
    );
  }
  if (questions.length === 0) throw invalid("questions", questions, "at least one question");
  const asked = questions.map((question) => ({
    answers: answersOf(question),
    text: textOf(question, showAnswers),
  }));
  const tools = new DeclaredTools([]);
  const settings = resolveSettings(settingsOf(options), tools, null, model.sampling);
  const earlier = messages.length === 0 ? [] : inputMessages(messages);
  const threadId = randomUUID();
  try {
    const decisions: Decision[] = [];
    for (const { answers, text } of asked) {
      const transcript = [...earlier, userMessage(text)].map((message) => ({ message }));
      const scored = await model.score({
        threadId,
        settings,
        tools,
        transcript,
        signal,
        answers: answers.map(({ written }) => written),
        reasons: reason,
      });
      signal.throwIfAborted();
      decisions.push(decisionFrom(answers, scored));
    }
    return decisions;
  } finally {
    await model.release(threadId);
  }
}

type Answer = { readonly written: string; readonly value: string | number | boolean };

function settingsOf(options: DecideOptions): TurnOptions {
  const { instructions, system, effort, date, sampling, maxReasoningTokens } = options;
  return { instructions, system, effort, date, sampling, maxReasoningTokens };
}

/** @throws UsageError */
function answersOf(question: DecisionQuestion): readonly Answer[] {
  const kinds = ["choices", "boolean", "score"].filter(
    (kind) => (question as Record<string, unknown>)[kind] !== undefined,
  );
  if (typeof question.question !== "string" || question.question.trim() === "") {
    throw invalid("question", question.question, "a text");
  }
  if (kinds.length !== 1) {
    throw new UsageError(
      `The question has ${kinds.length === 0 ? "no answers" : kinds.join(" and ")}; accepted: exactly one of ` +
        "choices, boolean and score.",
      { option: "choices" },
    );
  }
  if ("choices" in question && question.choices !== undefined) return choicesOf(question.choices);
  if ("score" in question && question.score !== undefined) return scoresOf(question.score);
  if ("boolean" in question && question.boolean === true) {
    return [
      { written: "yes", value: true },
      { written: "no", value: false },
    ];
  }
  throw invalid("boolean", false, "true, or choices, or a score");
}

function choicesOf(choices: readonly string[]): readonly Answer[] {
  const isList = Array.isArray(choices) && choices.every((choice) => typeof choice === "string");
  const distinct = new Set(choices);
  if (!isList || distinct.size < 2 || distinct.size !== choices.length || distinct.has("")) {
    throw invalid("choices", choices, "a list of at least two texts, none of them empty or twice");
  }
  if (choices.length > MAX_ANSWERS) {
    throw invalid("choices", `${choices.length} texts`, `at most ${MAX_ANSWERS}`);
  }
  return choices.map((choice) => ({ written: choice, value: choice }));
}

function scoresOf(score: { readonly min: number; readonly max: number }): readonly Answer[] {
  const { min, max } = score;
  const isRange = Number.isSafeInteger(min) && Number.isSafeInteger(max) && min < max;
  if (!isRange || max - min >= MAX_ANSWERS) {
    throw invalid("score", score, `whole numbers min < max, at most ${MAX_ANSWERS} of them`);
  }
  return Array.from({ length: max - min + 1 }, (_, at) => ({
    written: String(min + at),
    value: min + at,
  }));
}

function textOf(question: DecisionQuestion, showAnswers: boolean): string {
  if (!showAnswers) return question.question;
  const how =
    "score" in question && question.score !== undefined
      ? `Answer with a whole number from ${question.score.min} to ${question.score.max}, and nothing else.`
      : `Answer with exactly one of these, and nothing else: ${answersOf(question)
          .map(({ written }) => JSON.stringify(written))
          .join(", ")}.`;
  return `${question.question.trimEnd()}\n\n${how}`;
}

function decisionFrom(
  answers: readonly Answer[],
  scored: {
    readonly logprobs: readonly number[];
    readonly reasoning: string | null;
    readonly usage: StepUsage;
  },
): Decision {
  const { logprobs, reasoning, usage } = scored;
  const top = Math.max(...logprobs);
  const weights = logprobs.map((logprob) => Math.exp(logprob - top));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const ranked = answers
    .map((answer, at) => ({ answer, probability: (weights[at] as number) / sum }))
    .sort((a, b) => b.probability - a.probability);
  const [best] = ranked as [(typeof ranked)[number]];
  const isScore = typeof best.answer.value === "number";
  return {
    answer: best.answer.value,
    probability: best.probability,
    probabilities: ranked.map(({ answer, probability }) => ({
      answer: answer.written,
      probability,
    })),
    coverage: Math.exp(top) * sum,
    ...(isScore && {
      mean: ranked.reduce(
        (total, { answer, probability }) => total + Number(answer.value) * probability,
        0,
      ),
    }),
    reasoning,
    usage,
  };
}
