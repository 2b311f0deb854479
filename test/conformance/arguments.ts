/** Area `arguments`: whether a tool's schema can be used, and what the tool gets of what a model wrote. */
import { isDeepStrictEqual } from "node:util";
import { defineTool, executeTool, type Tool, verifyTool } from "../../tools/index.ts";
import { type CaseResult, ConformanceInputError, readCases } from "./case-result.ts";
import { type ContainedTexts, textProblems } from "./expected-texts.ts";

type Call = {
  readonly raw: string;
  readonly accepted?: boolean;
  readonly value?: unknown;
  readonly message_contains?: ContainedTexts;
  readonly message_lacks?: readonly string[];
};

type Case = {
  readonly id: string;
  readonly parameters: Record<string, unknown> | boolean;
  readonly usable: boolean;
  readonly cases: readonly Call[];
};

export async function* run(paths: readonly string[]): AsyncGenerator<CaseResult> {
  for (const path of paths) {
    for (const { id, parameters, usable, cases } of readCorpus(path)) {
      const received: unknown[] = [];
      const problem = await schemaProblem(parameters);
      if ((problem === null) !== usable) {
        yield { id, pass: false, got: problem ?? "a usable schema", expected: { usable } };
        continue;
      }
      if (problem !== null) {
        yield {
          id,
          pass: /schema/i.test(problem),
          got: problem,
          expected: "named as the schema's",
        };
        continue;
      }
      const tool = makeTool(parameters, (input) => received.push(input));
      const got: unknown[] = [];
      const problems: string[] = [];
      for (const call of cases) {
        const outcome = await callTool(tool, call.raw, received);
        got.push(outcome);
        problems.push(...callProblems(call, outcome).map((one) => `${call.raw}: ${one}`));
      }
      const pass = problems.length === 0;
      yield { id, pass, got: pass ? got : { problems, got }, expected: cases };
    }
  }
}

function makeTool(parameters: Case["parameters"], receive: (input: unknown) => void): Tool {
  return defineTool({
    name: "f",
    description: "A tool.",
    parameters,
    execute: (input: unknown) => {
      receive(input);
      return "called";
    },
  }) as Tool;
}

async function schemaProblem(parameters: Case["parameters"]): Promise<string | null> {
  try {
    await verifyTool(makeTool(parameters, () => undefined));
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

type Outcome = { readonly called: boolean; readonly value?: unknown; readonly message: string };

async function callTool(tool: Tool, raw: string, received: unknown[]): Promise<Outcome> {
  received.length = 0;
  const result = await executeTool(tool, raw, {
    signal: new AbortController().signal,
    callId: "call_1",
    countTokens: (text) => text.length,
    resultTokenLimit: 1_000_000,
  });
  return received.length === 0
    ? { called: false, message: result.text }
    : { called: true, value: received[0], message: result.text };
}

function callProblems(call: Call, { called, value, message }: Outcome): readonly string[] {
  if (call.accepted !== undefined && call.accepted !== called) {
    return [`expected ${call.accepted ? "a call" : "no call"}, the model was told: ${message}`];
  }
  if (called) {
    const isRight = !("value" in call) || isDeepStrictEqual(value, call.value);
    return isRight ? [] : [`the tool got ${JSON.stringify(value)}`];
  }
  const { message_contains: contains = [], message_lacks: lacks = [] } = call;
  return textProblems(message, { contains, lacks }).map((one) => `the message ${one}: ${message}`);
}

function readCorpus(path: string): readonly Case[] {
  const corpus = readCases(path) as { readonly cases?: unknown } | null;
  if (Array.isArray(corpus?.cases)) return corpus.cases as readonly Case[];
  throw new ConformanceInputError(`${path} has no list "cases".`);
}
