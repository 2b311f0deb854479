/** The protocol `minions`: tasks over chunks, done by the worker in parallel, put together by the supervisor. */
import { type DecomposeLimits, readJobs } from "./decompose.ts";
import type { Piece } from "./egress.ts";
import { type JobManifest, type JobOutput, runJob } from "./job.ts";
import type { ProtocolOptions, Tally } from "./minion.ts";
import { readDecision } from "./supervisor.ts";

export type MinionsProtocolOptions = ProtocolOptions &
  DecomposeLimits & {
    /** Chunks that are worked on at the same time. */
    readonly parallel: number;
  };

const QUESTION = "The question:\n";

function decomposePrompt({
  documents,
  maxTasks,
  maxJobs,
  chunkChars,
}: MinionsProtocolOptions): string {
  const characters = documents.reduce((sum, { text }) => sum + text.length, 0);
  return (
    `\n\nThere are ${documents.length} documents with ${characters} characters. Say what the workers are to look for: at most ` +
    `${maxTasks} different tasks, each so simple that a small model can do it with one excerpt alone. What builds on ` +
    `other answers is for a later round.\nReply with JSON: {"tasks": [{"task": "…", "advice": "…", "search": "…"}]}. ` +
    `Each task is done for each excerpt of ${chunkChars} characters; with search (words that the excerpt may have in it) only for ` +
    `those that fit best.\nOr reply with one block of Python (\`\`\`python) that defines prepare_jobs(context): context is ` +
    "the list of the documents' texts, and it returns a list of JobManifest(chunk, task, advice), each chunk cut out " +
    `of one text (chunk_by_section(text, max_chunk_size=3000, overlap=20) does it), at most ${maxJobs} jobs.`
  );
}

const DECIDE =
  "\n\nIs that enough? Where workers contradict each other, their citations decide. If it is enough, reply with JSON: " +
  '{"decision": "provide_final_answer", "answer": "…"}. If not: {"decision": "request_additional_info", "message": ' +
  '"what is missing", "scratchpad": "what is known so far"}.';
const CONCLUDE =
  "\n\nThis was the last round. Reply with JSON, and say in the answer what is not known: " +
  '{"decision": "provide_final_answer", "answer": "…"}.';

/** @returns the supervisor's answer, with labels in it */
export async function runMinions(options: MinionsProtocolOptions, tally: Tally): Promise<string> {
  const { question, documents, supervisor, signal, rounds, onProgress } = options;
  const asked: readonly Piece[] = [
    { label: "protocol", text: QUESTION },
    { label: "question", text: question },
  ];
  let notes: readonly Piece[] = [];
  for (;;) {
    tally.rounds++;
    const jobs = await supervisor.ask(
      [...asked, ...notes, { label: "protocol", text: decomposePrompt(options) }],
      (reply) => readJobs(reply, documents, options, signal),
    );
    const extractions = await runJobs(jobs, options, tally, (done) =>
      onProgress(`round ${tally.rounds} of ${rounds}: ${done} of ${jobs.length} jobs`),
    );
    const isLast = tally.rounds >= rounds || !supervisor.mayAskAgain;
    const decision = await supervisor.ask(
      [
        ...asked,
        ...notes,
        ...extractionPieces(extractions),
        { label: "protocol", text: isLast ? CONCLUDE : DECIDE },
      ],
      (reply) => readDecision(reply, isLast),
    );
    if (decision.decision === "answer") return decision.answer;
    notes = [
      { label: "protocol", text: "\n\nKnown from earlier rounds:\n" },
      { label: "supervisor", text: decision.scratchpad },
      { label: "protocol", text: "\nMissing:\n" },
      { label: "supervisor", text: decision.message },
    ];
  }
}

type Extraction = { readonly taskId: number; readonly output: JobOutput };

/** The chunks are done side by side, the tasks of one chunk one after the other. */
async function runJobs(
  jobs: readonly JobManifest[],
  { worker, signal, parallel }: MinionsProtocolOptions,
  tally: Tally,
  onDone: (count: number) => void,
): Promise<readonly Extraction[]> {
  const groups = [
    ...Map.groupBy(jobs, ({ chunk }) => `${chunk.document}\n${chunk.from}\n${chunk.to}`).values(),
  ];
  const found = new Map<JobManifest, Extraction>();
  const failure = new AbortController();
  const both = AbortSignal.any([signal, failure.signal]);
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    for (let group = groups[next++]; group !== undefined; group = groups[next++]) {
      for (const job of group) {
        const result = await runJob(job, worker, both, () => tally.workerRetries++);
        tally.jobs++;
        tally[result.status]++;
        if (result.status === "answered")
          found.set(job, { taskId: job.taskId, output: result.output });
        onDone(++done);
      }
    }
  };
  const lanes = Array.from({ length: Math.min(parallel, groups.length) }, async () => {
    try {
      await lane();
    } catch (error) {
      // The other lanes have ended before the error is told.
      failure.abort(error);
      throw error;
    }
  });
  const ended = await Promise.allSettled(lanes);
  for (const lane of ended) if (lane.status === "rejected") throw lane.reason;
  return jobs.flatMap((job) => found.get(job) ?? []);
}

/**
 * Tasks are named by number: their text may come from code that has seen the context.
 */
function extractionPieces(extractions: readonly Extraction[]): readonly Piece[] {
  if (extractions.length === 0) {
    return [{ label: "protocol", text: "\n\nNo worker found anything in its excerpt." }];
  }
  const byTask = [...Map.groupBy(extractions, ({ taskId }) => taskId)];
  return byTask
    .toSorted(([one], [other]) => one - other)
    .flatMap(([taskId, found]): Piece[] => [
      { label: "protocol", text: `\n\n## Task ${taskId}, in the order of your tasks` },
      ...found.flatMap(({ output: { answer, explanation, citation } }): Piece[] => [
        { label: "protocol", text: "\n- answer: " },
        { label: "worker", text: answer },
        { label: "protocol", text: "\n  explanation: " },
        { label: "worker", text: explanation },
        ...(citation === null ? [] : citationPieces(citation)),
      ]),
    ]);
}

function citationPieces({ text, ...source }: NonNullable<JobOutput["citation"]>): readonly Piece[] {
  return [
    { label: "protocol", text: "\n  citation: " },
    { label: "citation", text, source },
  ];
}
