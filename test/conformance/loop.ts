/** Area `loop`: runs of the agent loop with a scripted model, and what must come of them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { HarmonyModel, type RunResult, runAgent, Thread } from "../../runtime/index.ts";
import { createPythonTool, defineTool, type Tool } from "../../tools/index.ts";
import { type CaseResult, ConformanceInputError, readCases } from "./case-result.ts";
import { type ContainedTexts, textProblems } from "./expected-texts.ts";
import { PlayedEngine } from "./played-engine.ts";

type DeclaredTool = {
  readonly name: string;
  readonly description: string;
  readonly parameters: Record<string, unknown>;
  readonly results?: readonly string[];
  readonly error?: string;
  readonly aborts?: boolean;
};

type Expectation = {
  readonly status?: string;
  readonly output?: string;
  readonly output_contains?: ContainedTexts;
  readonly output_lacks?: readonly string[];
  readonly error_contains?: ContainedTexts;
  readonly calls?: readonly { readonly tool: string; readonly arguments: unknown }[];
  readonly prompt_contains?: readonly { readonly step: number; readonly text: ContainedTexts }[];
  readonly prompt_lacks?: readonly { readonly step: number; readonly text: readonly string[] }[];
};

type Turn = { readonly prompt: string; readonly model: readonly string[] };

type Case = Turn & {
  readonly id: string;
  readonly tools?: readonly DeclaredTool[];
  readonly python?: boolean;
  readonly canBan?: boolean;
  readonly options?: {
    readonly maxSteps?: number;
    readonly maxTokens?: number;
    readonly schema?: Record<string, unknown>;
    readonly xsd?: string;
  };
  readonly then?: Turn;
  readonly expect: Expectation | readonly Expectation[];
};

type Outcome = {
  readonly status: string;
  readonly output: string | null;
  readonly error: string | null;
  readonly calls: readonly { readonly tool: string; readonly arguments: unknown }[];
  readonly prompts: readonly string[];
};

const tokenizer = loadO200kHarmony();

export async function* run(paths: readonly string[]): AsyncGenerator<CaseResult> {
  const cacheDir = mkdtempSync(join(tmpdir(), "chorale-loop-"));
  try {
    for (const path of paths) {
      for (const one of readCorpus(path)) {
        const outcome = await play(one, cacheDir);
        const wanted = Array.isArray(one.expect) ? one.expect : [one.expect];
        const problems = wanted.map((expectation) => problemsOf(expectation, outcome));
        const pass = problems.some((found) => found.length === 0);
        yield {
          id: one.id,
          pass,
          got: pass ? outcome : { problems, outcome },
          expected: one.expect,
        };
      }
    }
  } finally {
    rmSync(cacheDir, { recursive: true, force: true });
  }
}

function readCorpus(path: string): readonly Case[] {
  const corpus = readCases(path) as { readonly cases?: unknown };
  if (!Array.isArray(corpus.cases)) {
    throw new ConformanceInputError(`${path} has no list of cases under "cases".`);
  }
  return corpus.cases as readonly Case[];
}

async function play(one: Case, cacheDir: string): Promise<Outcome> {
  const calls: { tool: string; arguments: unknown }[] = [];
  const engine = new PlayedEngine(tokenizer, one.canBan ?? false);
  const model = new HarmonyModel({ engine, tokenizer });
  const thread = Thread.create();
  const { maxSteps, maxTokens, schema, xsd } = one.options ?? {};
  let result: RunResult | undefined;
  for (const turn of one.then === undefined ? [one] : [one, one.then]) {
    const abort = new AbortController();
    const tools = (one.tools ?? []).map((tool) => toolOf(tool, calls, abort));
    const python = one.python ? createPythonTool({ cacheDir }) : null;
    if (python !== null) tools.push(recorded(python, calls));
    engine.script(turn.model);
    try {
      result = await runAgent({
        model,
        thread,
        prompt: turn.prompt,
        tools,
        maxSteps,
        maxTokens,
        sampling: { seed: 1 },
        ...(schema !== undefined && { output: { jsonSchema: schema } }),
        ...(xsd !== undefined && { output: { xsd } }),
        signal: abort.signal,
      });
    } finally {
      await python?.close();
    }
  }
  return {
    status: result?.status ?? "none",
    output: result?.output ?? null,
    error: result?.error?.message ?? null,
    calls,
    prompts: engine.prompts,
  };
}

function toolOf(
  declared: DeclaredTool,
  calls: { tool: string; arguments: unknown }[],
  abort: AbortController,
): Tool {
  const { name, description, parameters, results = ["ok"], error, aborts } = declared;
  let count = 0;
  const execute = async (input: unknown): Promise<string> => {
    calls.push({ tool: name, arguments: structuredClone(input) });
    if (aborts) {
      abort.abort();
      return new Promise(() => {});
    }
    if (error !== undefined) throw new Error(error);
    return results[Math.min(count++, results.length - 1)] ?? "ok";
  };
  const isOrdinary = /^[A-Za-z0-9_-]{1,64}$/.test(name);
  return isOrdinary
    ? (defineTool({ name, description, parameters, execute }) as Tool)
    : {
        recipient: `functions.${name}`,
        description,
        inputSchema: parameters,
        timeoutMs: 60_000,
        execute,
      };
}

function recorded(python: Tool, calls: { tool: string; arguments: unknown }[]): Tool {
  return {
    ...python,
    recipient: python.recipient,
    execute: async (input, context) => {
      calls.push({ tool: "python", arguments: input });
      return (await python.execute?.(input, context)) ?? "";
    },
  };
}

function problemsOf(expected: Expectation, outcome: Outcome): readonly string[] {
  const { output = null } = outcome;
  const problems: string[] = [];
  if (expected.status !== undefined && expected.status !== outcome.status) {
    problems.push(`status ${outcome.status}${outcome.error === null ? "" : `: ${outcome.error}`}`);
  }
  if (expected.output !== undefined && expected.output !== output) {
    problems.push(`output ${JSON.stringify(output)}`);
  }
  problems.push(
    ...textProblems(output ?? "", {
      contains: expected.output_contains ?? [],
      lacks: expected.output_lacks ?? [],
    }),
    ...textProblems(outcome.error ?? "", { contains: expected.error_contains ?? [] }),
  );
  if (expected.calls !== undefined && !isDeepStrictEqual(expected.calls, outcome.calls)) {
    problems.push(`calls ${JSON.stringify(outcome.calls)}`);
  }
  for (const { step, text } of expected.prompt_contains ?? []) {
    problems.push(...textProblems(promptOf(outcome, step), { contains: text }));
  }
  for (const { step, text } of expected.prompt_lacks ?? []) {
    problems.push(...textProblems(promptOf(outcome, step), { lacks: text }));
  }
  return problems;
}

function promptOf({ prompts }: Outcome, step: number): string {
  return prompts.at(step < 0 ? step : step - 1) ?? "";
}
