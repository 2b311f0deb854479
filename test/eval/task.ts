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
] as const;

export type Family = (typeof FAMILIES)[number];

export type DeclaredTool = {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonSchema;
  /** What every call of it answers: a text, or a value that is written as JSON. */
  readonly result: unknown;
};

export type ExpectedCall = { readonly recipient: string; readonly arguments?: unknown };

export type Task = {
  readonly id: string;
  readonly family: string;
  readonly prompt: string;
  readonly effort?: "low" | "medium" | "high";
  /** File name → text; the browser tools read them. */
  readonly docs?: Readonly<Record<string, string>>;
  readonly tools?: readonly DeclaredTool[];
  readonly schema?: JsonSchema;
  readonly xsd?: string;
  readonly expect: {
    readonly final_contains?: readonly string[];
    readonly final_json?: unknown;
    readonly calls?: readonly ExpectedCall[];
  };
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
  const { effort, docs, tools, xsd, expect } = value;
  if (effort !== undefined && !["low", "medium", "high"].includes(String(effort))) {
    return "effort must be low, medium or high";
  }
  if (docs !== undefined && !isRecord(docs)) return "docs must map file names to texts";
  if (tools !== undefined && !(Array.isArray(tools) && tools.every(isDeclaredTool))) {
    return "tools must be a list of {name, description, parameters, result}";
  }
  if (xsd !== undefined && typeof xsd !== "string") return "xsd must be a text";
  if (!isRecord(expect)) return "expect must be an object";
  const { final_contains: contains, calls } = expect;
  if (contains !== undefined && !(Array.isArray(contains) && contains.every(isText))) {
    return "expect.final_contains must be a list of texts";
  }
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
