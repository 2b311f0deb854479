/** One task through the real loop: the model decides, the tools really run. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Message } from "../../harmony/index.ts";
import {
  homePath,
  type LanguageModel,
  type RunEvent,
  type RunResult,
  runAgent,
  Thread,
} from "../../runtime/index.ts";
import { createPythonTool, type Tool, type ToolContext } from "../../tools/index.ts";
import { browserOver } from "./docs-folder.ts";
import { judge, type ObservedCall } from "./judge.ts";
import type { DeclaredTool, EarlierMessage, Task } from "./task.ts";

export type Surroundings = {
  readonly model: LanguageModel;
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
const MAX_STEPS = 8;
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
  const { model } = surroundings;
  await using python = await pythonFor(task, surroundings.python);
  await using documents = task.docs === undefined ? null : await browserOver(task.docs);
  const later = task.turns ?? [];
  const calls: ObservedCall[] = [];
  const problems: string[] = [];
  const thread = Thread.create();
  let timing = NO_TIMING;
  let result: RunResult | undefined;
  for (const [index, { prompt, expect }] of [task, ...later].entries()) {
    const seen: Seen = { calls: [], outputs: [] };
    result = await runAgent({
      model,
      thread,
      prompt,
      ...(index === 0 && task.history && { messages: task.history.map(earlierMessage) }),
      tools: [python.tool, ...(documents?.tools ?? []), ...(task.tools ?? []).map(declared)],
      effort: task.effort,
      ...(python.briefing !== undefined && { instructions: python.briefing }),
      // What does not fit the schema is no completed run, so validity needs no judging.
      ...(task.schema !== undefined && { output: { jsonSchema: task.schema } }),
      ...(task.xsd !== undefined && { output: { xsd: task.xsd } }),
      // The penalties of the checkpoint are not meant for these.
      sampling: { temperature: 0, topP: 1, seed: 0, topK: 0, minP: 0, repetitionPenalty: 1 },
      maxSteps: MAX_STEPS,
      maxTokens: MAX_TOKENS,
      signal: AbortSignal.timeout(TASK_TIMEOUT_MS),
      onEvent: (event) => watch(event, seen),
    });
    const failure = result.error?.message;
    const observed = { final: result.output, ...seen, ...(failure !== undefined && { failure }) };
    const where = later.length > 0 ? `turn ${index + 1}: ` : "";
    problems.push(...judge(expect, observed).map((problem) => `${where}${problem}`));
    calls.push(...seen.calls);
    timing = { ...added(timing, result.timing), first_token_ms: result.timing.first_token_ms };
    if (result.output === null) break;
  }
  return {
    id: task.id,
    family: task.family,
    prompt: [task, ...later].map(({ prompt }) => prompt).join(" ⏎ "),
    ok: problems.length === 0,
    problems,
    status: result?.status ?? "failed",
    final: result?.output ?? null,
    calls,
    messages: thread.messages,
    usage: thread.state.usage,
    timing,
  };
}

type Seen = { readonly calls: ObservedCall[]; readonly outputs: string[] };

function watch(event: RunEvent, seen: Seen): void {
  if (event.type !== "item.completed") return;
  const { item } = event;
  if (item.type === "tool_call")
    seen.calls.push({ recipient: item.tool, arguments: item.arguments });
  if (item.type !== "code_execution") return;
  seen.calls.push({ recipient: "python", arguments: item.code });
  seen.outputs.push(...(item.artifacts ?? []).map(({ name }) => name));
}

/** The figures of two runs together. */
function added<T extends Readonly<Record<string, number | null>>>(one: T, other: T): T {
  const sums = Object.entries(one).map(([key, value]) => [key, (value ?? 0) + (other[key] ?? 0)]);
  return Object.fromEntries(sums) as T;
}

function earlierMessage({ role, text }: EarlierMessage): Message {
  const content = [{ type: "text" as const, text }];
  return role === "user" ? { role, content } : { role, channel: "final", content };
}

type TaskPython = AsyncDisposable & {
  readonly tool: Tool;
  /** Where files are, as the command line tells the model. */
  readonly briefing?: string;
};

/** The interpreter of all tasks; one of its own for a task with files. */
async function pythonFor({ files, family }: Task, shared: Tool): Promise<TaskPython> {
  if (files === undefined) {
    return { tool: shared, [Symbol.asyncDispose]: () => forget(shared) };
  }
  const folder = await mkdtemp(join(tmpdir(), `chorale-eval-${family}-`));
  const inputs = Object.entries(files).map(([name, text]) => ({ name, bytes: Buffer.from(text) }));
  const tool = createPythonTool({
    cacheDir: homePath(process.env),
    files: inputs,
    artifactFolder: join(folder, "outputs"),
  });
  const list = inputs.map(({ name, bytes }) => `/mnt/data/${name} (${bytes.length} bytes)`);
  const given = `Files of the user, readable in Python: ${list.join(", ")}.`;
  const outputs = "Files that Python code writes to /outputs are given to the user.";
  return {
    tool,
    briefing: inputs.length > 0 ? `${given} ${outputs}` : outputs,
    [Symbol.asyncDispose]: async () => {
      await tool.close();
      await rm(folder, { recursive: true, force: true });
    },
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
