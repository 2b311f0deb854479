/** What a task is, and reading tasks from a file of one JSON object per line. */
import { readFile } from "node:fs/promises";
import type { JsonSchema } from "../../harmony/index.ts";

export const FAMILIES = [
  "arithmetic",
  "text",
  "dates",
  "function",
  "no_tool",
  "documents",
  "json",
  "xml",
  "recovery",
  "two_step",
  "outside",
  "follow_up",
  "files",
  "small_talk",
  "everyday",
] as const;

export type Family = (typeof FAMILIES)[number];

export type DeclaredTool = {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonSchema;
  /** What every call of it answers: a text, or a value that is written as JSON. */
  readonly result: unknown;
};

export type Expectation = {
  readonly final_contains?: readonly string[];
  readonly final_json?: unknown;
  /** The answer is JSON that holds this value, at any depth. */
  readonly json_holds?: unknown;
  readonly calls?: readonly ExpectedCall[];
  /** Files that Python handed out. */
  readonly outputs?: readonly string[];
};

/** What the user says after an answer, and what is expected then. */
export type LaterTurn = { readonly prompt: string; readonly expect: Expectation };

/** A message of a conversation before the task. */
export type EarlierMessage = { readonly role: "user" | "assistant"; readonly text: string };

export type ExpectedCall = { readonly recipient: string; readonly arguments?: unknown };

export type Task = {
  readonly id: string;
  readonly family: string;
  readonly prompt: string;
  readonly effort?: "low" | "medium" | "high";
  /** File name → text; the browser tools read them. */
  readonly docs?: Readonly<Record<string, string>>;
  /** File name → text; Python finds them in `/mnt/data`. */
  readonly files?: Readonly<Record<string, string>>;
  readonly tools?: readonly DeclaredTool[];
  readonly history?: readonly EarlierMessage[];
  readonly turns?: readonly LaterTurn[];
  readonly schema?: JsonSchema;
  readonly xsd?: string;
  readonly expect: Expectation;
};

/** A file of tasks that cannot be used; the message is one sentence for the command line. */
export class TaskFileError extends Error {}

/** @throws TaskFileError naming the line */
export async function readTasks(path: string): Promise<readonly Task[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new TaskFileError(`Cannot read the tasks: ${String(cause)}`, { cause });
  });
  const tasks: Task[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    tasks.push(parseTask(line, `${path}, line ${index + 1}`));
  }
  if (tasks.length === 0) throw new TaskFileError(`${path} holds no task.`);
  return tasks;
}

function parseTask(line: string, where: string): Task {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new TaskFileError(`${where} is not JSON.`, { cause });
  }
  const problem = problemOf(value);
  if (problem !== null) throw new TaskFileError(`${where}: ${problem}.`);
  return value as Task;
}

function problemOf(value: unknown): string | null {
  if (!isRecord(value)) return "a task is an object";
  for (const key of ["id", "family", "prompt"]) {
    if (typeof value[key] !== "string") return `${key} must be a text`;
  }
  const { effort, docs, files, tools, xsd, history, turns, expect } = value;
  if (effort !== undefined && !["low", "medium", "high"].includes(String(effort))) {
    return "effort must be low, medium or high";
  }
  for (const [key, texts] of Object.entries({ docs, files })) {
    if (texts !== undefined && !(isRecord(texts) && Object.values(texts).every(isText))) {
      return `${key} must map file names to texts`;
    }
  }
  if (tools !== undefined && !(Array.isArray(tools) && tools.every(isDeclaredTool))) {
    return "tools must be a list of {name, description, parameters, result}";
  }
  if (xsd !== undefined && typeof xsd !== "string") return "xsd must be a text";
  if (history !== undefined && !(Array.isArray(history) && history.every(isEarlierMessage))) {
    return "history must be a list of {role: user or assistant, text}";
  }
  if (turns !== undefined && !Array.isArray(turns)) {
    return "turns must be a list of {prompt, expect}";
  }
  for (const turn of turns ?? []) {
    if (!isRecord(turn) || !isText(turn["prompt"])) return "each of turns must have a prompt";
    const problem = problemOfExpectation(turn["expect"]);
    if (problem !== null) return `turns: ${problem}`;
  }
  return problemOfExpectation(expect);
}

function problemOfExpectation(expect: unknown): string | null {
  if (!isRecord(expect)) return "expect must be an object";
  for (const key of ["final_contains", "outputs"]) {
    const texts = expect[key];
    if (texts !== undefined && !(Array.isArray(texts) && texts.every(isText))) {
      return `expect.${key} must be a list of texts`;
    }
  }
  const { calls } = expect;
  if (calls !== undefined && !(Array.isArray(calls) && calls.every(isExpectedCall))) {
    return "expect.calls must be a list of {recipient, arguments?}";
  }
  return null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isDeclaredTool(value: unknown): boolean {
  return isRecord(value) && isText(value["name"]) && isRecord(value["parameters"]);
}

function isExpectedCall(value: unknown): boolean {
  return isRecord(value) && isText(value["recipient"]);
}

function isEarlierMessage(value: unknown): boolean {
  return (
    isRecord(value) &&
    ["user", "assistant"].includes(String(value["role"])) &&
    isText(value["text"])
  );
}
