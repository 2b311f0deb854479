/**
 * What the supervisor wants to have done, as jobs: from a list in JSON, or from Python code that is run in the sandbox.
 * The code is not trusted. It sees the context, so that nothing of what it prints or raises goes back to the supervisor.
 */
import { createPythonTool } from "../../tools/index.ts";
import { bestChunks, type Chunk, type ContextDocument, chunksOf } from "./chunks.ts";
import type { JobManifest } from "./job.ts";
import { objectIn, type Reading } from "./supervisor.ts";

export type DecomposeLimits = {
  readonly maxJobs: number;
  readonly maxTasks: number;
  /** UTF-16 units. */
  readonly chunkChars: number;
  /** How long the supervisor's code may run, in milliseconds. */
  readonly codeMs: number;
  /** The values in the place of labels, for the workers. */
  readonly restore: (text: string) => string;
};

const MAX_TASK_CHARS = 2000;
/** Chunks of a task that is given with words to search for. */
const SEARCHED_CHUNKS = 8;

/** @throws the signal's reason; PythonUnavailableError and PythonStartError where code has to be run and cannot be */
export async function readJobs(
  reply: string,
  documents: readonly ContextDocument[],
  limits: DecomposeLimits,
  signal: AbortSignal,
): Promise<Reading<readonly JobManifest[]>> {
  const code = /```(?:python|py)\s*\n([\s\S]*?)\n\s*```/.exec(reply)?.[1];
  const reading =
    code === undefined
      ? listed(reply, documents, limits)
      : await runCode(code, documents, limits.codeMs, signal);
  if ("problem" in reading) return reading;
  const restored = reading.value.map(({ chunk, task, advice }) => ({
    ...{ chunk, task: limits.restore(task), advice: limits.restore(advice) },
  }));
  return checked(restored, limits);
}

type Wanted = Omit<JobManifest, "taskId">;

function listed(
  reply: string,
  documents: readonly ContextDocument[],
  { chunkChars, restore }: DecomposeLimits,
): Reading<readonly Wanted[]> {
  const tasks = objectIn(reply)?.["tasks"];
  if (!Array.isArray(tasks)) {
    return { problem: "it has neither a JSON object with a list as tasks, nor a block of Python." };
  }
  const chunks = chunksOf(documents, chunkChars);
  const wanted: Wanted[] = [];
  for (const entry of tasks as readonly unknown[]) {
    const { task, advice = "", search } = (entry ?? {}) as Record<string, unknown>;
    if (typeof task !== "string" || typeof advice !== "string") {
      return { problem: "task or advice of an entry is not a text." };
    }
    const isSearch = typeof search === "string" && search.trim() !== "";
    const chosen = isSearch ? bestChunks(chunks, restore(search), SEARCHED_CHUNKS) : chunks;
    wanted.push(...chosen.map((chunk) => ({ chunk, task, advice })));
  }
  return { value: wanted };
}

function checked(
  wanted: readonly Wanted[],
  { maxJobs, maxTasks }: DecomposeLimits,
): Reading<readonly JobManifest[]> {
  const tasks = [...new Set(wanted.map(({ task }) => task))];
  if (wanted.length === 0) return { problem: "it makes no job." };
  if (wanted.length > maxJobs) return { problem: `it makes more than ${maxJobs} jobs.` };
  if (tasks.length > maxTasks) return { problem: `it has more than ${maxTasks} different tasks.` };
  if (
    wanted.some(
      ({ task, advice }) => task.trim() === "" || task.length + advice.length > MAX_TASK_CHARS,
    )
  ) {
    return { problem: `a task is empty, or longer than ${MAX_TASK_CHARS} characters.` };
  }
  const jobs = wanted.map((job) => ({ ...job, taskId: tasks.indexOf(job.task) + 1 }));
  // Jobs of one chunk come one behind the other, so that they share what is computed for it.
  const order = new Map<string, number>();
  const place = ({ chunk }: Wanted): number => {
    const key = `${chunk.document}\n${chunk.from}\n${chunk.to}`;
    const known = order.get(key) ?? order.size;
    order.set(key, known);
    return known;
  };
  const placed = jobs.map((job) => ({ job, at: place(job) }));
  return { value: placed.toSorted((one, other) => one.at - other.at).map(({ job }) => job) };
}

/** Defined before the supervisor's code; positions are code points, as Python counts them. */
const PRELUDE = `
import json as _json
_documents = _json.loads(open("/mnt/data/minions-context.json", encoding="utf-8").read())
context = [document["text"] for document in _documents]

class JobManifest:
    def __init__(self, chunk, task, advice="", **others):
        self.chunk, self.task, self.advice = chunk, task, advice

def chunk_by_section(text, max_chunk_size=3000, overlap=20):
    step = max(1, max_chunk_size - overlap)
    return [text[at:at + max_chunk_size] for at in range(0, max(1, len(text) - overlap), step)]
`;

/** Jobs as numbers: document, first and last position of the chunk, task, advice. */
const ENDING = String.raw`
def _places():
    texts, jobs = [], []
    for job in prepare_jobs(context):
        at = next(((n, text.find(job.chunk)) for n, text in enumerate(context) if job.chunk in text), (-1, 0))
        for text in (job.task, job.advice or ""):
            if text not in texts: texts.append(text)
        jobs.append([at[0], at[1], at[1] + len(job.chunk), texts.index(job.task), texts.index(job.advice or "")])
    return _json.dumps({"texts": texts, "jobs": jobs})
_answer = _places()
import sys as _sys
_sys.stdout.write("\n" + _answer + "\n")
`;

/** Kinds of errors that are told to the supervisor; a name of the code's own could say anything. */
const TOLD_ERRORS = new Set(
  [
    "Syntax",
    "Indentation",
    "Name",
    "Type",
    "Value",
    "Key",
    "Index",
    "Attribute",
    "Import",
    "ModuleNotFound",
  ]
    .concat(["ZeroDivision", "Recursion", "Memory", "Assertion", "Runtime"])
    .map((kind) => `${kind}Error`),
);

async function runCode(
  code: string,
  documents: readonly ContextDocument[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Reading<readonly Wanted[]>> {
  const bytes = new TextEncoder().encode(JSON.stringify(documents));
  // A new interpreter each time: code of an earlier attempt leaves nothing behind.
  await using python = createPythonTool({
    timeoutMs,
    files: [{ name: "minions-context.json", bytes }],
  });
  const { data, isError } = await python.execute(`${PRELUDE}\n${code}\n${ENDING}`, {
    ...{ signal, callId: "minions", idempotencyKey: "minions", context: undefined },
    ...{ countTokens: (text) => text.length, resultTokenLimit: Number.MAX_SAFE_INTEGER },
  });
  signal.throwIfAborted();
  const { output, error } = data as { readonly output: string; readonly error: string | null };
  if (isError === true) {
    // What stands behind it may have lines of its own.
    const kind = [...(error ?? "").matchAll(/^\w+Error\b/gm)].at(-1)?.[0] ?? "";
    const told = TOLD_ERRORS.has(kind) ? `it ended with ${kind}` : "it did not end well";
    return {
      problem: `${told} (what an error says is not told, since it may have the context in it).`,
    };
  }
  return wantedOf(output, documents);
}

/** Everything that the code printed is what it made up, its last line as well. */
function wantedOf(
  output: string,
  documents: readonly ContextDocument[],
): Reading<readonly Wanted[]> {
  const malformed = { problem: "prepare_jobs(context) gives no list of JobManifest." };
  let answer: unknown;
  try {
    answer = JSON.parse(output.trim().split("\n").at(-1) ?? "");
  } catch {
    return malformed;
  }
  const { texts, jobs } = (answer ?? {}) as Record<string, unknown>;
  if (!Array.isArray(texts) || !Array.isArray(jobs)) return malformed;
  const points = documents.map(({ text }) => [...text]);
  const wanted: Wanted[] = [];
  for (const job of jobs as readonly unknown[]) {
    if (!Array.isArray(job)) return malformed;
    const [at, first, end, taskAt, adviceAt] = job as readonly unknown[];
    if (at === -1) return { problem: "the chunk of a job does not stand in a document." };
    const document = documents[Number(at)];
    const all = points[Number(at)];
    const task: unknown = texts[Number(taskAt)];
    const advice: unknown = texts[Number(adviceAt)];
    const isPlace = Number.isInteger(first) && Number.isInteger(end) && Number(first) >= 0;
    if (document === undefined || all === undefined || !isPlace) return malformed;
    if (typeof task !== "string" || typeof advice !== "string") return malformed;
    const text = all.slice(Number(first), Number(end)).join("");
    if (text.trim() === "") return { problem: "the chunk of a job is empty." };
    const from = all.slice(0, Number(first)).join("").length;
    const chunk: Chunk = { document: document.name, from, to: from + text.length, text };
    wanted.push({ chunk, task, advice });
  }
  return { value: wanted };
}
