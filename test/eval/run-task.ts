/** One task through the real loop: the model decides, the tools really run. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import type { Message } from "../../harmony/index.ts";
import { type LoadedModel, type RunEvent, type RunResult, runAgent } from "../../runtime/index.ts";
import { createBrowserTools, type Tool, type ToolContext } from "../../tools/index.ts";
import { judge, type ObservedCall } from "./judge.ts";
import type { DeclaredTool, Task } from "./task.ts";

export type Surroundings = {
  readonly model: Pick<LoadedModel, "engine" | "tokenizer">;
  /** One interpreter for all tasks; what a task defined is removed after it. */
  readonly python: Tool;
};

/** Everything about one task, as `--out` writes it. */
export type Transcript = {
  readonly id: string;
  readonly family: string;
  readonly prompt: string;
  readonly ok: boolean;
  readonly problems: readonly string[];
  readonly status: RunResult["status"];
  readonly final: string | null;
  readonly calls: readonly ObservedCall[];
  readonly messages: readonly Message[];
  readonly usage: RunResult["usage"];
  readonly timing: RunResult["timing"];
};

/** A task that takes longer has failed. */
const TASK_TIMEOUT_MS = 120_000;
const MAX_TURNS = 8;
/** A model that repeats itself for ever should not cost the time of the whole evaluation. */
const MAX_TOKENS = 1_600;
const TOOL_TIMEOUT_MS = 10_000;

const NO_USAGE: RunResult["usage"] = {
  input_tokens: 0,
  cached_input_tokens: 0,
  cache_write_input_tokens: 0,
  output_tokens: 0,
  reasoning_output_tokens: 0,
};
const NO_TIMING: RunResult["timing"] = {
  total_ms: 0,
  first_token_ms: null,
  prefill_ms: 0,
  decode_ms: 0,
  tools_ms: 0,
  decode_tokens_per_second: null,
};

/** Whatever happens is in the transcript: one broken task must not cost the results of the others. */
export async function runTask(task: Task, surroundings: Surroundings): Promise<Transcript> {
  try {
    return await attempt(task, surroundings);
  } catch (error) {
    const { id, family, prompt } = task;
    const message = error instanceof Error ? error.message : String(error);
    return {
      ...{ id, family, prompt, ok: false, problems: [`could not be run: ${message}`] },
      ...{ status: "failed", final: null, calls: [], messages: [] },
      ...{ usage: NO_USAGE, timing: NO_TIMING },
    };
  }
}

async function attempt(task: Task, surroundings: Surroundings): Promise<Transcript> {
  const { model, python } = surroundings;
  const calls: ObservedCall[] = [];
  const onEvent = (event: RunEvent): void => {
    if (event.type !== "item.completed") return;
    const { item } = event;
    if (item.type === "tool_call") calls.push({ recipient: item.tool, arguments: item.arguments });
    if (item.type === "code_execution") calls.push({ recipient: "python", arguments: item.code });
  };
  await using documents = await documentTools(task);
  const result = await runAgent({
    engine: model.engine,
    tokenizer: model.tokenizer,
    prompt: task.prompt,
    tools: [python, ...documents.tools, ...(task.tools ?? []).map(declared)],
    effort: task.effort,
    // What does not fit the schema is no completed run, so validity needs no judging.
    ...(task.schema !== undefined && { outputSchema: { jsonSchema: task.schema } }),
    ...(task.xsd !== undefined && { outputSchema: { xsd: task.xsd } }),
    sampling: { temperature: 0, topP: 1, seed: 0 },
    maxTurns: MAX_TURNS,
    maxTokens: MAX_TOKENS,
    signal: AbortSignal.timeout(TASK_TIMEOUT_MS),
    onEvent,
  });
  if (calls.some(({ recipient }) => recipient === "python")) await forget(python);
  const failure = result.error?.message;
  const observed = { final: result.output, calls, ...(failure !== undefined && { failure }) };
  const problems = judge(task, observed);
  return {
    id: task.id,
    family: task.family,
    prompt: task.prompt,
    ok: problems.length === 0,
    problems,
    status: result.status,
    final: result.output,
    calls,
    messages: result.messages,
    usage: result.usage,
    timing: result.timing,
  };
}

/** A declared function that answers every call the same. */
function declared({ name, description, parameters, result }: DeclaredTool): Tool {
  return {
    recipient: `functions.${name}`,
    description,
    inputSchema: parameters,
    timeoutMs: TOOL_TIMEOUT_MS,
    execute: async () => (typeof result === "string" ? result : JSON.stringify(result ?? null)),
  };
}

async function documentTools(
  task: Task,
): Promise<AsyncDisposable & { readonly tools: readonly Tool[] }> {
  if (task.docs === undefined) return { tools: [], [Symbol.asyncDispose]: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), "chorale-eval-"));
  const clean = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    for (const [name, text] of Object.entries(task.docs)) {
      const path = join(folder, name);
      if (relative(folder, path).split(sep)[0] === "..") throw new Error(`bad file name ${name}`);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
    const { tools, close } = await createBrowserTools({ docs: folder });
    const dispose = async (): Promise<void> => {
      await close();
      await clean();
    };
    return { tools, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await clean();
    throw error;
  }
}

/** Removes the variables of a task, so that its `sum = 3` does not break the next one's `sum(…)`. */
async function forget(python: Tool): Promise<void> {
  const context: ToolContext = {
    signal: AbortSignal.timeout(TOOL_TIMEOUT_MS),
    callId: "forget",
    idempotencyKey: "forget",
    context: undefined,
    countTokens: (text) => text.length,
    resultTokenLimit: 1_000,
  };
  const names = "[name for name in globals() if not name.startswith('_')]";
  await python.execute?.(`for _name in ${names}:\n    del globals()[_name]`, context);
}
