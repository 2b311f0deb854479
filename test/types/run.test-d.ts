/** What a program gives an agent, and what it gets. */
import { expectTypeOf, test } from "vitest";
import {
  Agent,
  type AgentRun,
  defineTool,
  type HarmonyModel,
  type LanguageModel,
  loadModel,
  type RunEvent,
  type RunResult,
  runAgent,
  type ScriptedModel,
  type Thread,
} from "../../runtime/index.ts";
import type { createValidator, StandardSchema } from "../../tools/index.ts";

declare const model: LanguageModel;
declare const thread: Thread;
declare const person: StandardSchema<{ readonly name: string; readonly age: number }>;

test("every model is a language model, and the one with an engine is closed by `await using`", () => {
  expectTypeOf<HarmonyModel>().toExtend<LanguageModel & AsyncDisposable>();
  expectTypeOf<ScriptedModel>().toExtend<LanguageModel>();
  expectTypeOf(loadModel).returns.resolves.toEqualTypeOf<HarmonyModel>();
});

test("a run takes tools of any input", () => {
  const tools = [
    defineTool<{ city: string }>({ name: "a", description: "", execute: ({ city }) => city }),
    defineTool<{ id: number }>({ name: "b", description: "", execute: ({ id }) => id }),
  ];
  expectTypeOf(runAgent).toBeCallableWith({ model, prompt: "Hello", tools });
  // @ts-expect-error -- no model
  runAgent({ prompt: "Hello" });
  // @ts-expect-error -- `maxStep` is no option
  runAgent({ model, prompt: "Hello", maxStep: 1 });
});

test("the result has an answer or the reason why there is none", () => {
  expectTypeOf<RunResult["output"]>().toEqualTypeOf<string | null>();
  expectTypeOf<RunResult["error"]>().toEqualTypeOf<Error | undefined>();
  expectTypeOf(runAgent).returns.resolves.toEqualTypeOf<RunResult>();
});

test("the value of a result is what its Standard Schema makes of the answer", () => {
  type Person = { readonly name: string; readonly age: number };
  const typed = () => runAgent({ model, prompt: "Who?", output: person });
  expectTypeOf<Awaited<ReturnType<typeof typed>>["value"]>().toEqualTypeOf<Person | undefined>();
  const run = new Agent({ model, output: person }).run(thread, "Who?");
  expectTypeOf(run.result).resolves.toEqualTypeOf<RunResult<Person>>();

  const parsed = () => runAgent({ model, prompt: "Who?", output: { jsonSchema: {} } });
  expectTypeOf<Awaited<ReturnType<typeof parsed>>["value"]>().toEqualTypeOf<unknown>();
  expectTypeOf<Awaited<ReturnType<typeof createValidator<Person>>>>().toHaveProperty("validate");
  // @ts-expect-error -- there is no option `schema`
  runAgent({ model, prompt: "Who?", output: { schema: {} } });
});

test("a run of an agent is read as events, as text, or awaited", () => {
  const run = new Agent({ model }).run(thread, "Hello");
  expectTypeOf(run).toEqualTypeOf<AgentRun>();
  expectTypeOf(run).toExtend<AsyncIterable<RunEvent>>();
  expectTypeOf(run.text).toExtend<AsyncIterable<string>>();
  expectTypeOf(run.result).resolves.toEqualTypeOf<RunResult>();
});

test("events are told apart by their type", () => {
  const listener = (event: RunEvent) => {
    if (event.type === "item.completed") expectTypeOf(event).toHaveProperty("item");
  };
  expectTypeOf(runAgent).toBeCallableWith({ model, prompt: "Hello", onEvent: listener });
});
