/** Area `signature`: what the model reads of one declared tool, in the developer message of a run. */
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { HarmonyModel, runAgent } from "../../runtime/index.ts";
import { defineTool, type Tool } from "../../tools/index.ts";
import { type CaseResult, ConformanceInputError, readCases } from "./case-result.ts";
import { type ContainedTexts, textProblems } from "./expected-texts.ts";
import { PlayedEngine } from "./played-engine.ts";

type Case = {
  readonly id: string;
  readonly tool: {
    readonly name: string;
    readonly description: string;
    readonly parameters: Record<string, unknown>;
  };
  readonly contains?: ContainedTexts;
  readonly lacks?: readonly string[];
  readonly no_line_starts?: readonly string[];
};

const tokenizer = loadO200kHarmony();

export async function* run(paths: readonly string[]): AsyncGenerator<CaseResult> {
  for (const path of paths) {
    const { cases } = readCases(path) as { cases?: readonly Case[] };
    if (!Array.isArray(cases)) throw new ConformanceInputError(`${path} has no list "cases".`);
    for (const one of cases) yield await runCase(one);
  }
}

async function runCase({ id, tool, ...expected }: Case): Promise<CaseResult> {
  const declaration = await declarationOf(tool);
  const { contains = [], lacks = [], no_line_starts: starts = [] } = expected;
  const lines = declaration
    .split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/)
    .map((line) => line.trimStart());
  const problems = [
    ...textProblems(onOneLine(declaration), {
      contains: contains.map((one) => [one].flat().map(onOneLine)),
      lacks: lacks.map(onOneLine),
    }),
    ...starts
      .filter((start) => lines.some((line) => line.startsWith(start)))
      .map((start) => `a line begins with ${JSON.stringify(start)}`),
  ];
  const pass = problems.length === 0;
  return { id, pass, got: pass ? declaration : { problems, declaration }, expected };
}

/** What stands between the lines that open and close the namespace of functions. */
async function declarationOf(declared: Case["tool"]): Promise<string> {
  const engine = new PlayedEngine(tokenizer, false);
  const model = new HarmonyModel({ engine, tokenizer });
  await runAgent({ model, prompt: "Hello.", tools: [toolOf(declared)] });
  const text = engine.prompts[0] ?? "";
  const open = "namespace functions {";
  return text.slice(text.indexOf(open) + open.length, text.lastIndexOf("} // namespace functions"));
}

function toolOf({ name, description, parameters }: Case["tool"]): Tool {
  const execute = (): string => "ok";
  if (/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    return defineTool({ name, description, parameters, execute }) as Tool;
  }
  // As from a foreign server, which knows no rules for names.
  return {
    recipient: `functions.${name}`,
    description,
    inputSchema: parameters,
    timeoutMs: 60_000,
    execute: async () => "ok",
  };
}

function onOneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}
