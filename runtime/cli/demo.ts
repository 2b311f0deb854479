/**
 * `chorale demo`: three questions to the embedded model, each of which needs another part of the
 * whole (sandboxed Python, a declared function, an answer that must pass a schema). Its answers are
 * checked: it is the shortest way to see that an installation works.
 */
import { isDeepStrictEqual } from "node:util";
import {
  createPythonTool,
  defineTool,
  type Tool,
  type ValidatorOptions,
} from "../../tools/index.ts";
import type { RunEvent } from "../events.ts";
import { openHome } from "../home.ts";
import type { HarmonyModel } from "../index.ts";
import { loadModel, type RunResult, runAgent } from "../index.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { watchRun } from "./watch.ts";

type Task = {
  readonly question: string;
  readonly tools?: readonly Tool[];
  readonly output?: ValidatorOptions;
  /** What is wrong with the answer or the way to it; null when it is right. */
  readonly judge: (result: RunResult, events: readonly RunEvent[]) => string | null;
};

const weather = defineTool({
  name: "get_weather",
  description: "Gets the current weather in a city.",
  inputSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  execute: () => ({ temperature: 18, sky: "cloudy" }),
});

const TASKS: readonly Task[] = [
  {
    question: "What is 48213 * 977?",
    judge: (result, events) => {
      if (!pythonPrinted(events, "47104101")) return "Python did not compute 47104101";
      return result.output?.includes("47104101") ? null : "the answer does not say 47104101";
    },
  },
  {
    question: "What is the weather in Lisbon?",
    tools: [weather],
    judge: (result, events) => {
      if (!called(events, "functions.get_weather")) return "get_weather was not called";
      const answer = result.output ?? "";
      return /\b18\b/.test(answer) && answer.includes("cloudy")
        ? null
        : "the answer does not tell the result";
    },
  },
  {
    question: "Extract the data: Maria Keller is 34 years old and lives in Oslo.",
    output: {
      jsonSchema: {
        type: "object",
        properties: {
          name: { type: "string" },
          age: { type: "integer" },
          city: { type: "string" },
        },
        required: ["name", "age", "city"],
        additionalProperties: false,
      },
    },
    judge: ({ value }) =>
      isDeepStrictEqual(value, { name: "Maria Keller", age: 34, city: "Oslo" })
        ? null
        : "the answer does not have the name, the age and the city",
  },
];

export async function demoCommand(context: CommandContext): Promise<ExitCode> {
  const { output, env, signal } = context;
  const home = openHome(env, (sentence) => output.note(sentence));
  const python = createPythonTool({ cacheDir: home.path });
  try {
    const model = await loadModel();
    try {
      const starting = python.warmUp();
      let wrong = 0;
      for (const task of TASKS) {
        const problem = await perform(task, python, model, context);
        signal.throwIfAborted();
        if (problem !== null) wrong++;
      }
      await starting;
      if (wrong === 0) return EXIT.ok;
      output.note(`${wrong} of ${TASKS.length} answers are wrong.`);
      return EXIT.failed;
    } finally {
      await model.close();
    }
  } finally {
    await python.close();
    home.close();
  }
}

/** @returns what is wrong, having said it */
async function perform(
  task: Task,
  python: Tool,
  model: HarmonyModel,
  { output, signal }: CommandContext,
): Promise<string | null> {
  const rule = task.output === undefined ? "" : " (The answer has to pass a JSON Schema.)";
  output.watchLines("?", `${task.question}${rule}`, "call");
  const events: RunEvent[] = [];
  const show = watchRun(output, { holdAnswer: task.output !== undefined });
  const result = await runAgent({
    model,
    prompt: task.question,
    tools: [python, ...(task.tools ?? [])],
    output: task.output,
    signal,
    onEvent: (event) => {
      events.push(event);
      return show(event);
    },
  });
  const problem = result.error?.message ?? task.judge(result, events);
  const { usage, timing } = result;
  if (problem !== null) output.watchLines("✗", problem, "problem");
  else {
    const speed = timing.decode_tokens_per_second ?? 0;
    const figures = `right: ${usage.output_tokens} tokens at ${Math.round(speed)} per second, first after ${Math.round(timing.first_token_ms ?? 0)} ms`;
    output.watchLines("✓", figures, "result");
  }
  return problem;
}

function pythonPrinted(events: readonly RunEvent[], text: string): boolean {
  return events.some(
    (event) =>
      event.type === "item.completed" &&
      event.item.type === "code_execution" &&
      event.item.output.includes(text),
  );
}

function called(events: readonly RunEvent[], tool: string): boolean {
  return events.some(
    (event) =>
      event.type === "item.completed" &&
      event.item.type === "tool_call" &&
      event.item.tool === tool &&
      event.item.status === "completed",
  );
}
