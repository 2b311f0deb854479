/** Area `cells`: what the model reads of cells of the Python tool, each case in a session of its own. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  createPythonTool,
  executeTool,
  type PythonTool,
  PythonWarmPool,
} from "../../tools/index.ts";
import { type CaseResult, ConformanceInputError, readCases } from "./case-result.ts";
import { type ContainedTexts, textProblems } from "./expected-texts.ts";

/** What is looked at of one result. */
type Expected = {
  readonly status?: "completed" | "failed";
  /** The whole text, line ends at its end aside. */
  readonly out?: string;
  readonly contains?: ContainedTexts;
  readonly lacks?: readonly string[];
};

type Cell = Expected & {
  readonly code: string;
  readonly pause_ms?: number;
  /** One of these must hold as well. */
  readonly any?: readonly Expected[];
};

export type CellCase = {
  readonly id: string;
  readonly cells: readonly Cell[];
  /** Files that lie in the session's folder at the end. */
  readonly artifacts?: readonly string[];
};

type Got = { readonly status: string; readonly text: string };

/** @throws ConformanceInputError when a file has another form */
export async function* run(paths: readonly string[]): AsyncGenerator<CaseResult> {
  const folder = mkdtempSync(join(tmpdir(), "chorale-cells-"));
  const warmPool = new PythonWarmPool({ cacheDir: join(folder, "cache") });
  try {
    for (const path of paths) {
      for (const one of readCellCases(path)) {
        const artifactFolder = mkdtempSync(join(folder, "artifacts-"));
        const tool = createPythonTool({ warmPool, artifactFolder });
        yield await runCellCase(one, tool, artifactFolder);
        await tool.close();
      }
    }
  } finally {
    await warmPool.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @throws ConformanceInputError when the file has another form */
export function readCellCases(path: string): readonly CellCase[] {
  const { cases } = readCases(path) as { cases?: readonly CellCase[] };
  const isCase = ({ id, cells }: CellCase): boolean =>
    typeof id === "string" &&
    Array.isArray(cells) &&
    cells.every(({ code }: Cell) => typeof code === "string");
  if (!Array.isArray(cases) || !cases.every(isCase)) {
    throw new ConformanceInputError(`${path} needs {cases: [{id, cells: [{code}, …]}, …]}.`);
  }
  return cases;
}

/** Runs the cells one after the other, as calls of the model. */
export async function runCellCase(
  { id, cells, artifacts = [] }: CellCase,
  tool: PythonTool,
  artifactFolder: string,
): Promise<CaseResult> {
  const results: Got[] = [];
  const problems: string[] = [];
  for (const [index, cell] of cells.entries()) {
    await sleep(cell.pause_ms ?? 0);
    const { status, text } = await executeTool(tool, cell.code, {
      signal: new AbortController().signal,
      callId: `call_${index}`,
      countTokens: (text) => Math.ceil(text.length / 4),
      resultTokenLimit: 100_000,
    });
    const got = { status, text };
    results.push(got);
    const found = [...problemsOf(got, cell), ...problemsOfAny(got, cell.any)];
    problems.push(...found.map((problem) => `cell ${index + 1} ${problem}`));
  }
  for (const name of artifacts) {
    if (!existsSync(join(artifactFolder, name))) problems.push(`there is no artifact ${name}`);
  }
  const pass = problems.length === 0;
  return { id, pass, got: pass ? results : { problems, results }, expected: cells };
}

function problemsOf({ status, text }: Got, expected: Expected): readonly string[] {
  const { out } = expected;
  const isOther = expected.status !== undefined && expected.status !== status;
  return [
    ...(isOther ? [`has ${status}`] : []),
    ...(out !== undefined && text.replace(/[\r\n]+$/, "") !== out
      ? [`gave ${JSON.stringify(text)}`]
      : []),
    ...textProblems(text, expected),
  ];
}

function problemsOfAny(got: Got, any: readonly Expected[] | undefined): readonly string[] {
  if (any === undefined) return [];
  const problems = any.map((one) => problemsOf(got, one));
  return problems.some((one) => one.length === 0)
    ? []
    : [`is none of: ${problems.map((one) => one.join(", ")).join("; ")}`];
}
