/** One job of the protocol `minions`: one task over one chunk, answered by the local model in a fixed form. */
import { runAgent } from "../index.ts";
import type { Chunk } from "./chunks.ts";
import type { SourceRange } from "./egress.ts";
import type { LocalMeter } from "./local-meter.ts";

export type JobManifest = {
  readonly chunk: Chunk;
  readonly task: string;
  readonly advice: string;
  /** From 1, by the order in which tasks first appear. */
  readonly taskId: number;
};

export type JobOutput = {
  readonly explanation: string;
  readonly answer: string;
  /** Where the citation stands in the context; null where the worker gave none that stands there. */
  readonly citation: (SourceRange & { readonly text: string }) | null;
};

export type JobResult =
  | { readonly status: "answered"; readonly output: JobOutput }
  /** The excerpt has nothing about the task. */
  | { readonly status: "abstained" }
  /** No answer of the form, or one that was cut off. */
  | { readonly status: "failed" };

const text = (maxLength: number): object => ({ type: "string", maxLength });

/** Lengths bound what of an excerpt can leave with one answer. */
const SCHEMA = {
  type: "object",
  properties: {
    explanation: text(400),
    citation: { anyOf: [text(400), { type: "null" }] },
    answer: { anyOf: [text(400), { type: "null" }] },
  },
  required: ["explanation", "citation", "answer"],
  additionalProperties: false,
};

const WORKER =
  "You are a worker. You get an excerpt of a document and a task. Do the task from the excerpt alone. answer is what the task " +
  "asks for; citation is the place that says it, word for word; both are null where the excerpt does not say it.";

const JOB_TOKENS = 700;

/**
 * @param onRetry called for each sampling beyond the first
 * @throws the signal's reason
 */
export async function runJob(
  { chunk, task, advice }: JobManifest,
  worker: LocalMeter,
  signal: AbortSignal,
  onRetry: () => void,
): Promise<JobResult> {
  let samplings = 0;
  const hint = advice === "" ? "" : `\n\nAdvice: ${advice}`;
  const { output, value } = await runAgent({
    onEvent: ({ type }) => {
      if (type === "generation.completed" && ++samplings > 1) onRetry();
    },
    ...{ model: worker, signal, effort: "low" as const, instructions: WORKER },
    // What jobs have in common comes first: those of one chunk share keys and values of all of it but the task.
    prompt: `Excerpt of ${chunk.document}:\n\n${chunk.text.trim()}\n\nTask: ${task}${hint}`,
    output: { jsonSchema: SCHEMA },
    maxTokens: Math.min(JOB_TOKENS, Math.floor(worker.contextLength * 0.3)),
  });
  signal.throwIfAborted();
  if (output === null) return { status: "failed" };
  const answered = value as { explanation: string; citation: string | null; answer: string | null };
  const { explanation, answer } = answered;
  if (answer === null || /^(?:none|null|n\/a|)$/i.test(answer.trim()))
    return { status: "abstained" };
  return {
    status: "answered",
    output: { explanation, answer, citation: placeOf(answered.citation, chunk) },
  };
}

/** Where a citation stands in its chunk, white space aside. */
function placeOf(citation: string | null, chunk: Chunk): JobOutput["citation"] {
  const words =
    citation
      ?.trim()
      .split(/\s+/)
      .filter((word) => word !== "") ?? [];
  if (words.length === 0) return null;
  const pattern = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\\s+");
  const found = new RegExp(pattern).exec(chunk.text);
  if (found === null) return null;
  const from = chunk.from + found.index;
  return { document: chunk.document, from, to: from + found[0].length, text: found[0] };
}
