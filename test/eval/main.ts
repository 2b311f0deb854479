/**
 * `npm run demo:eval`: how well a model does on held-out tasks, through the real engine, parser, tools
 * and loop. The last line of stdout is the summary as one JSON object; everything else is on stderr.
 */
import { type FileHandle, open } from "node:fs/promises";
import { parseArgs } from "node:util";
import { demoModelPath } from "../../inference/index.ts";
import { EXIT } from "../../runtime/cli/exit-codes.ts";
import { loadModel, loadRemoteModel } from "../../runtime/index.ts";
import { createPythonTool } from "../../tools/index.ts";
import { Beside } from "./beside.ts";
import { DEFAULT_COUNT, generateTasks } from "./generate.ts";
import { runTask, type Surroundings } from "./run-task.ts";
import { Tally } from "./tally.ts";
import { readTasks, type Task, TaskFileError } from "./task.ts";

const USAGE = `npm run demo:eval -- [--seed N] [--n N] [--tasks FILE.jsonl] [--out FILE.jsonl]
    [--family NAME,…] [--model PATH] [--threads N] [--precision int8|exact]
    [--engine URL [--beside]]

  --seed N       other generated tasks (default 1)
  --n N          about so many of them (default ${DEFAULT_COUNT})
  --tasks FILE   these tasks instead, one JSON object a line
  --out FILE     write every transcript, one JSON object a line
  --family LIST  only these families
  --model PATH   another model than the embedded one
  --threads N    threads of the engine (default: one for every core)
  --precision P  how it multiplies (default: exact for the embedded model, int8 for others)
  --engine URL   a server computes the tokens; --model then names its vocabulary
  --beside       each task with the model here as well: how many give the same ids, and why others do not`;

type Options = {
  readonly tasks: readonly Task[];
  readonly out: string | undefined;
  readonly model: string | undefined;
  readonly threads: number | undefined;
  readonly precision: "int8" | "exact" | undefined;
  readonly engine: string | undefined;
  readonly beside: boolean;
};

/** Progress is told after so many tasks. */
const PROGRESS_EVERY = 25;

async function readOptions(): Promise<Options | null> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      n: { type: "string", default: String(DEFAULT_COUNT) },
      tasks: { type: "string" },
      out: { type: "string" },
      family: { type: "string" },
      model: { type: "string" },
      threads: { type: "string" },
      precision: { type: "string" },
      engine: { type: "string" },
      beside: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  const seed = wholeNumber("--seed", values.seed, 0);
  const n = wholeNumber("--n", values.n, 1);
  const tasks = values.tasks === undefined ? generateTasks(seed, n) : await readTasks(values.tasks);
  const families = values.family?.split(",");
  const chosen = families ? tasks.filter(({ family }) => families.includes(family)) : tasks;
  if (chosen.length === 0) throw new TaskFileError(`No task is of the family ${values.family}.`);
  const threads =
    values.threads === undefined ? undefined : wholeNumber("--threads", values.threads, 1);
  const { out, model, engine, beside, precision } = values;
  if (precision !== undefined && precision !== "int8" && precision !== "exact") {
    throw new TaskFileError(`--precision is ${precision}; it must be int8 or exact.`);
  }
  if (beside && engine === undefined) throw new TaskFileError("--beside needs --engine.");
  return { tasks: chosen, out, model, threads, precision, engine, beside };
}

function wholeNumber(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new TaskFileError(`${flag} is ${text}; it must be a whole number from ${least} on.`);
}

async function evaluate(options: Options): Promise<void> {
  const { tasks, out, model: path, threads, precision, engine } = options;
  const transcripts = out === undefined ? null : await openForWriting(out);
  try {
    const python = createPythonTool();
    try {
      if (engine === undefined) {
        await using model = await loadModel(path, { threads, precision });
        const tally = await runAll(tasks, { model, python }, transcripts);
        process.stdout.write(`${JSON.stringify(tally.summary())}\n`);
        return;
      }
      await using model = await loadRemoteModel([engine], {
        vocabularyOf: path ?? demoModelPath,
        onNote: (note) => process.stderr.write(`${note}\n`),
      });
      await using local = options.beside ? await loadModel(path, { threads, precision }) : null;
      await using beside = local && new Beside(local, model);
      const tally = await runAll(tasks, { model, python }, transcripts, beside);
      const summary = { ...tally.summary(), ...(beside && { beside: beside.summary() }) };
      process.stdout.write(`${JSON.stringify(summary)}\n`);
    } finally {
      await python.close();
    }
  } finally {
    await transcripts?.close();
  }
}

async function openForWriting(path: string): Promise<FileHandle> {
  return open(path, "w").catch((cause: unknown) => {
    throw new TaskFileError(`Cannot write the transcripts: ${String(cause)}`, { cause });
  });
}

async function runAll(
  tasks: readonly Task[],
  surroundings: Surroundings,
  out: FileHandle | null,
  beside: Beside | null = null,
): Promise<Tally> {
  const tally = new Tally();
  for (const task of tasks) {
    const transcript = beside === null ? await runTask(task, surroundings) : await beside.run(task);
    tally.add(transcript);
    await out?.write(`${JSON.stringify(transcript)}\n`);
    if (!transcript.ok) {
      process.stderr.write(
        `✗ ${task.id}: ${transcript.prompt}\n    ${transcript.problems.join("\n    ")}\n`,
      );
    }
    if (tally.n % PROGRESS_EVERY === 0 || tally.n === tasks.length) {
      process.stderr.write(`${tally.n}/${tasks.length}: ${tally.line()}\n`);
    }
  }
  return tally;
}

async function main(): Promise<number> {
  try {
    const options = await readOptions();
    if (options === null) process.stderr.write(`${USAGE}\n`);
    else await evaluate(options);
    return EXIT.ok;
  } catch (error) {
    const usage = error instanceof TaskFileError || isArgumentError(error);
    if (!usage && !isForeseen(error)) throw error;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return usage ? EXIT.usage : EXIT.model;
  }
}

function isArgumentError(error: unknown): boolean {
  return (
    error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS")
  );
}

/** A model that cannot be opened says why; only our own faults deserve a stack trace. */
function isForeseen(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("CHORALE_");
}

if (import.meta.main) process.exitCode = await main();
