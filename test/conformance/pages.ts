/** Area `pages`: what the browser tools show of folders of documents. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { type BrowserTools, createBrowserTools, executeTool } from "../../tools/index.ts";
import { type CaseResult, ConformanceInputError, readCases } from "./case-result.ts";
import { type ContainedTexts, textProblems } from "./expected-texts.ts";

type Expected = {
  readonly contains?: ContainedTexts;
  readonly lacks?: readonly string[];
  /** For each list there is a line that holds its texts in this order. */
  readonly same_line?: readonly (readonly string[])[];
  /** Bounds of the number of the first line shown. */
  readonly first_line?: readonly [number, number];
  /** One of these sets must hold as well. */
  readonly any?: readonly Expected[];
};

type Step = Expected & {
  readonly open?: string;
  readonly open_id?: number;
  readonly find?: string;
  readonly search?: string;
  /** The page is read on to its end, and all that was shown counts. */
  readonly whole?: boolean;
};

type Case = {
  readonly id: string;
  readonly files: { readonly [name: string]: string | { readonly base64: string } };
  readonly steps: readonly Step[];
};

/** Tokens of one result, as in a run with a large context. */
const RESULT_TOKENS = 8000;

export async function* run(paths: readonly string[]): AsyncGenerator<CaseResult> {
  for (const path of paths) {
    for (const { id, files, steps } of readCorpus(path)) {
      const folder = folderWith(files);
      try {
        const problems = await runSteps(folder, steps);
        yield { id, pass: problems.length === 0, got: problems, expected: steps };
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
  }
}

function folderWith(files: Case["files"]): string {
  const folder = mkdtempSync(join(tmpdir(), "chorale-pages-"));
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(
      path,
      typeof content === "string" ? content : Buffer.from(content.base64, "base64"),
    );
  }
  return folder;
}

async function runSteps(folder: string, steps: readonly Step[]): Promise<readonly string[]> {
  const problems: string[] = [];
  const browser = await createBrowserTools({ docs: folder });
  try {
    for (const [number, step] of steps.entries()) {
      const shown = await shownBy(browser, step);
      for (const problem of expectedProblems(step, shown))
        problems.push(`step ${number + 1} ${problem}`);
    }
  } finally {
    await browser.close();
  }
  return problems;
}

async function shownBy(browser: BrowserTools, step: Step): Promise<string> {
  const first = await callOf(browser, step);
  if (!step.whole) return first;
  const parts = [first];
  for (;;) {
    const place = /\*\*viewing lines \[\d+ - (\d+)\] of (\d+)\*\*/.exec(parts.at(-1) ?? "");
    if (place === null || Number(place[1]) >= Number(place[2])) return parts.join("\n");
    parts.push(await call(browser, "open", { loc: Number(place[1]) + 1 }));
  }
}

function callOf(browser: BrowserTools, { open, open_id, find, search }: Step): Promise<string> {
  if (open !== undefined) return call(browser, "open", { id: open });
  if (open_id !== undefined) return call(browser, "open", { id: open_id });
  if (find !== undefined) return call(browser, "find", { pattern: find });
  if (search !== undefined) return call(browser, "search", { query: search });
  throw new ConformanceInputError("a step has none of open, open_id, find, search");
}

async function call(browser: BrowserTools, name: string, input: object): Promise<string> {
  const tool = browser.tools.find(({ recipient }) => recipient === `browser.${name}`);
  if (tool === undefined) throw new Error(`there is no tool browser.${name}`);
  const tokenizer = loadO200kHarmony();
  const { text } = await executeTool(tool, JSON.stringify(input), {
    signal: new AbortController().signal,
    callId: "call",
    countTokens: (each) => tokenizer.encode(each).length,
    resultTokenLimit: RESULT_TOKENS,
  });
  return text;
}

/** What does not hold of a text as the model reads it. */
export function expectedProblems(expected: Expected, shown: string): readonly string[] {
  const text = shown.replace(/^L\d+: ?/gm, "").replace(/[ \t]+$/gm, "");
  const problems = [...textProblems(text, expected)];
  for (const texts of expected.same_line ?? []) {
    if (!text.split("\n").some((line) => holdsInOrder(line, texts))) {
      problems.push(`has no line with ${JSON.stringify(texts)}`);
    }
  }
  if (expected.first_line !== undefined) {
    const [from, to] = expected.first_line;
    const first = Number(/^L(\d+):/m.exec(shown)?.[1] ?? Number.NaN);
    if (!(first >= from && first <= to))
      problems.push(`begins at line ${first}, not at ${from} to ${to}`);
  }
  const { any } = expected;
  if (any?.every((each) => expectedProblems(each, shown).length > 0)) {
    problems.push(`fits none of ${JSON.stringify(any)}`);
  }
  return problems.length === 0 ? [] : [...problems, `in ${JSON.stringify(shown)}`];
}

function holdsInOrder(line: string, texts: readonly string[]): boolean {
  let at = 0;
  for (const text of texts) {
    const found = line.indexOf(text, at);
    if (found < 0) return false;
    at = found + text.length;
  }
  return true;
}

function readCorpus(path: string): readonly Case[] {
  const corpus = readCases(path);
  const isCorpus = typeof corpus === "object" && corpus !== null && "cases" in corpus;
  if (isCorpus && Array.isArray(corpus.cases)) return corpus.cases;
  throw new ConformanceInputError(`${path} has no list "cases".`);
}
